#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "net/http_test_helpers.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/certificate.h"
#include "tests/support/temporary_directory.h"

namespace {

constexpr int kSendsOfAHandshake = 2;  // the client's greeting, and what ends it
constexpr int kLongestWait = 60'000;   // of a test that has failed, in milliseconds

// How often libcurl sent since a test began to hold it up; negative while none does.
std::atomic<int> sends = -1;

void HoldUp(int socket) {
  if (sends < 0 || ++sends <= kSendsOfAHandshake) return;
  // The first finds a connection that the server has closed, later ones one that is broken.
  const bool is_first = sends == kSendsOfAHandshake + 1;
  pollfd closed{.fd = socket, .events = static_cast<short>(is_first ? POLLRDHUP : 0), .revents = 0};
  poll(&closed, 1, kLongestWait);
}

}  // namespace

// The C library's, as libcurl calls it: a client may be as slow as a test needs it.
extern "C" [[gnu::visibility("default")]] ssize_t send(int socket, const void* bytes, size_t size,
                                                       int flags) {
  HoldUp(socket);
  return syscall(SYS_sendto, socket, bytes, size, flags, nullptr, 0);
}

namespace qarion::secrets::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::FaultServer;
using test::MakeCertificate;
using testing::AllOf;
using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  // Sends to a server with the certificate `name` and trust in `authority`.
  Attempt SendTo(const std::string& name, const std::string& authority,
                 const std::string& server_name = "") {
    FaultServer server({"--certificate", directory_.Path(name + ".pem"), "--key",
                        directory_.Path(name + ".key"), "answer:200"});
    HttpClientOptions options;
    if (!authority.empty()) options.tls.ca_file = directory_.Path(authority + ".pem");
    options.tls.server_name = server_name;
    HttpClient client(std::move(options));
    return Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
  }

  test::TemporaryDirectory directory_;
};

TEST_F(TlsTest, TrustsTheNamedAuthorityAlone) {
  MakeCertificate(directory_, "ours", "IP:127.0.0.1");
  MakeCertificate(directory_, "theirs", "IP:127.0.0.1");
  EXPECT_EQ(Body(SendTo("ours", "ours")), R"({"data":"fake"})");
  for (const std::string authority : {"theirs", ""}) {
    const Attempt made = SendTo("ours", authority);
    ASSERT_FALSE(made.result);
    EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
  }
}

TEST_F(TlsTest, RefusesAnotherName) {
  MakeCertificate(directory_, "named", "DNS:bao.example");
  const Attempt made = SendTo("named", "named");
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(Body(SendTo("named", "named", "bao.example")), R"({"data":"fake"})");
}

TEST_F(TlsTest, AgreesOnHttp2UnlessToldNotTo) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  for (const bool allows_http2 : {true, false}) {
    FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                        directory_.Path("server.key"), "--offers-http2", "close-when-spoken-to"});
    HttpClientOptions options;
    options.tls.ca_file = directory_.Path("server.pem");
    options.allows_http2 = allows_http2;
    HttpClient client(std::move(options));
    static_cast<void>(Send(client, Get("https://127.0.0.1:" + server.port() + "/")));
    EXPECT_EQ(server.NextLine(),
              allows_http2 ? R"({"protocol": "h2"})" : R"({"protocol": "http/1.1"})");
  }
}

// By a server that speaks nothing else.
TEST_F(TlsTest, ExchangesRequestsOverHttp2) {
  MakeCertificate(directory_, "server");
  std::filesystem::create_directory(directory_.Path("documents"));
  directory_.Write("documents/answer.json", R"({"data":"fake"})");
  std::string port;
  {
    const FaultServer gone({"close"});
    port = gone.port();
  }
  const std::string start = "nghttpd --address=127.0.0.1 --htdocs=" + directory_.Path("documents") +
                            " " + port + " " + directory_.Path("server.key") + " " +
                            directory_.Path("server.pem") + " >/dev/null 2>&1 & echo $! >" +
                            directory_.Path("pid");
  ASSERT_EQ(std::system(start.c_str()), 0);  // NOLINT(cert-env33-c)
  HttpClientOptions options;
  options.tls.ca_file = directory_.Path("server.pem");
  HttpClient client(std::move(options));
  const HttpRequest request = Get("https://127.0.0.1:" + port + "/answer.json");
  const auto end = steady_clock::now() + seconds(20);
  Attempt made = Send(client, request);
  while (!made.result && steady_clock::now() < end) made = Send(client, request);
  EXPECT_EQ(Body(made), R"({"data":"fake"})");
  EXPECT_EQ(Body(Send(client, request)), R"({"data":"fake"})");
  kill(std::atoi(directory_.Read("pid").c_str()), SIGTERM);  // NOLINT(cert-err34-c)
}

TEST_F(TlsTest, RefusesWhatHasExpired) {
  MakeCertificate(directory_, "expired", "IP:127.0.0.1");
  // Signed again, to be valid until yesterday.
  const std::string signed_again = "openssl x509 -in " + directory_.Path("expired.pem") +
                                   " -signkey " + directory_.Path("expired.key") +
                                   " -days -1 -out " + directory_.Path("expired.pem") +
                                   " 2>/dev/null";
  ASSERT_EQ(std::system(signed_again.c_str()), 0);  // NOLINT(cert-env33-c)
  const Attempt made = SendTo("expired", "expired");
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(made.result.error().reason(), HasSubstr("expired"));
  EXPECT_THAT(made.result.error().cure(), HasSubstr("clock is right"));
}

// Neither says how it will end, so another try may help.
TEST_F(TlsTest, EndsSoonWhereTheHandshakeDoes) {
  for (const char* const step : {"close", "close-when-spoken-to", "hang", "drip-tls"}) {
    FaultServer server({step});
    HttpClientOptions options;
    options.limits.connect_timeout = milliseconds(500);
    HttpClient client(std::move(options));
    const auto begin = steady_clock::now();
    const Attempt made = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
    ASSERT_FALSE(made.result) << step;
    EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable) << made.result.error().reason();
    EXPECT_LT(steady_clock::now() - begin, seconds(3)) << step;
  }
}

// Neither a connection nor a TLS session of before is used with it.
TEST_F(TlsTest, ShowsARenewedCertificateFromThenOn) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  MakeCertificate(directory_, "client", "IP:127.0.0.1");
  MakeCertificate(directory_, "renewed", "IP:127.0.0.1");
  directory_.Write("clients.pem", directory_.Read("client.pem") + directory_.Read("renewed.pem"));
  for (const char* const step : {"answer:200", "once:200"}) {
    MakeCertificate(directory_, "used", "IP:127.0.0.1");
    FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                        directory_.Path("server.key"), "--client-ca",
                        directory_.Path("clients.pem"), step});
    HttpClientOptions options;
    options.tls.ca_file = directory_.Path("server.pem");
    options.tls.certificate_file = directory_.Path("used.pem");
    options.tls.key_file = directory_.Path("used.key");
    HttpClient client(std::move(options));
    const auto serial_seen_with = [&](const std::string& name) {
      directory_.Write("used.pem", directory_.Read(name + ".pem"));
      directory_.Write("used.key", directory_.Read(name + ".key"));
      const Attempt made = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
      EXPECT_TRUE(made.result) << made.result.error().reason();
      const std::string line = server.NextLine();
      return line.substr(std::min(line.find("\"serial\""), line.size()));
    };
    const std::string first = serial_seen_with("client");
    EXPECT_THAT(first, HasSubstr("serial"));
    EXPECT_EQ(serial_seen_with("client"), first);
    EXPECT_NE(serial_seen_with("renewed"), first) << step;
    directory_.Write("used.pem", "no certificate");
    const Attempt broken = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
    ASSERT_FALSE(broken.result);
    EXPECT_EQ(broken.result.error().code(), ErrorCode::kConfiguration);
    EXPECT_EQ(serial_seen_with("client"), first);
  }
}

// With TLS 1.3 the handshake is over for the client before the server has judged its certificate. A
// client that is slow then writes to a connection that is broken.
class SlowTlsClient : public TlsTest {
 protected:
  void SetUp() override {
    MakeCertificate(directory_, "server");
    MakeCertificate(directory_, "stranger");
  }

  // Of a server that ends connections when the handshake is over, at the latest.
  std::vector<std::string> Arguments(std::vector<std::string> more) const {
    more.insert(more.end(), {"--certificate", directory_.Path("server.pem"), "--key",
                             directory_.Path("server.key"), "--offers-http2", "answer:200"});
    return more;
  }

  // Each send waits until the connection is closed, or then broken.
  Attempt SendLate(const FaultServer& server, const std::string& certificate, bool allows_http2) {
    HttpClientOptions options;
    options.allows_http2 = allows_http2;
    options.tls.ca_file = directory_.Path("server.pem");
    options.tls.certificate_setting = "FAKE_SETTING";
    if (!certificate.empty()) {
      options.tls.certificate_file = directory_.Path(certificate + ".pem");
      options.tls.key_file = directory_.Path(certificate + ".key");
    }
    HttpClient client(std::move(options));
    HttpRequest request = Get("https://127.0.0.1:" + server.port() + "/");
    request.method = "POST";
    request.body = Secret::CopyOf(std::string(50'000, 'x'));  // more than goes out at once
    sends = 0;
    Attempt made = Send(client, request, seconds(120));
    EXPECT_GT(sends.exchange(-1), kSendsOfAHandshake);
    EXPECT_FALSE(made.timed_out);
    return made;
  }
};

TEST_F(SlowTlsClient, SaysWhyItsCertificateIsRefused) {
  const std::string authority = directory_.Path("server.pem");
  FaultServer breaks(Arguments({"--client-ca", authority}));
  FaultServer closes(Arguments({"--client-ca", authority, "--reads-ahead"}));
  for (const FaultServer* const server : {&breaks, &closes}) {
    for (const bool allows_http2 : {true, false}) {
      for (const std::string certificate : {"stranger", ""}) {
        const Attempt made = SendLate(*server, certificate, allows_http2);
        ASSERT_FALSE(made.result);
        EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
        EXPECT_THAT(made.result.error().reason(),
                    HasSubstr(certificate.empty() ? "certificate required" : "unknown ca"));
        EXPECT_THAT(made.result.error().cure(), HasSubstr("FAKE_SETTING"));
      }
    }
  }
}

TEST_F(SlowTlsClient, FindsThatTheConnectionEndedForNoReason) {
  FaultServer server(Arguments({}));
  for (const bool allows_http2 : {true, false}) {
    const Attempt made = SendLate(server, "", allows_http2);
    ASSERT_FALSE(made.result);
    EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(made.was_sent);
  }
}

// OpenSSL would ask at the terminal, and wait.
TEST_F(TlsTest, AsksNobodyForThePasswordOfAKey) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  const std::string encrypt = "openssl ec -aes256 -passout pass:fake-password -in " +
                              directory_.Path("server.key") + " -out " +
                              directory_.Path("encrypted.key") + " 2>/dev/null";
  ASSERT_EQ(std::system(encrypt.c_str()), 0);  // NOLINT(cert-env33-c)
  FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                      directory_.Path("server.key"), "answer:200"});
  HttpClientOptions options;
  options.tls.ca_file = directory_.Path("server.pem");
  options.tls.certificate_file = directory_.Path("server.pem");
  options.tls.key_file = directory_.Path("encrypted.key");
  options.tls.certificate_setting = "FAKE_SETTING";
  HttpClient client(std::move(options));
  const Attempt made = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(made.result.error().cure(),
              AllOf(HasSubstr("not encrypted"), HasSubstr("FAKE_SETTING")));
}

TEST_F(TlsTest, SpeaksNoVersionBefore12) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                      directory_.Path("server.key"), "--most-tls", "1.1", "answer:200"});
  HttpClientOptions options;
  options.tls.ca_file = directory_.Path("server.pem");
  HttpClient client(std::move(options));
  const Attempt made = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration) << made.result.error().reason();
  EXPECT_THAT(made.result.error().cure(), HasSubstr("TLS 1.2"));
}

// Whoever cuts the connection must not be able to shorten an answer that has no length.
TEST_F(TlsTest, TakesNoAnswerThatEndsWithoutTheEndOfTls) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  for (const char* const step : {"http-1.0", "cut-body", "cut-header"}) {
    FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                        directory_.Path("server.key"), step});
    HttpClientOptions options;
    options.tls.ca_file = directory_.Path("server.pem");
    HttpClient client(std::move(options));
    const Attempt made = Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
    ASSERT_FALSE(made.result) << step;
    EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable) << step;
  }
}

TEST_F(TlsTest, ReadsTheAuthoritiesOfADirectory) {
  MakeCertificate(directory_, "ours", "IP:127.0.0.1");
  const std::string folder = directory_.Path("authorities");
  std::filesystem::create_directories(folder + "/more");
  EXPECT_FALSE(ReadAuthorities(folder, "FAKE_SETTING"));
  EXPECT_FALSE(ReadAuthorities(folder + "/nowhere", "FAKE_SETTING"));
  directory_.Write("authorities/README", "no certificate");
  directory_.Write("authorities/more/ours.pem", directory_.Read("ours.pem"));
  const auto authorities = ReadAuthorities(folder, "FAKE_SETTING");
  ASSERT_TRUE(authorities) << authorities.error().reason();
  EXPECT_EQ(*authorities, directory_.Read("ours.pem") + "\n");
}

// Whoever opens one waits for somebody to write.
TEST_F(TlsTest, OpensNoPipe) {
  MakeCertificate(directory_, "server");
  const std::string pipe = directory_.Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (auto member :
       {&TlsSettings::ca_file, &TlsSettings::certificate_file, &TlsSettings::key_file}) {
    HttpClientOptions options;
    options.tls.certificate_file = options.tls.ca_file = directory_.Path("server.pem");
    options.tls.key_file = directory_.Path("server.key");
    options.tls.*member = pipe;
    options.tls.authority_setting = options.tls.certificate_setting = "FAKE_SETTING";
    HttpClient client(std::move(options));
    const Attempt made = Send(client, Get("https://127.0.0.1:1/"));
    ASSERT_FALSE(made.result);
    EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
    EXPECT_EQ(made.result.error().reason(), "FAKE_SETTING: " + pipe + " is not a file");
  }
}

TEST_F(TlsTest, SaysThatAFileOfItsSettingsIsMissing) {
  MakeCertificate(directory_, "ours", "IP:127.0.0.1");
  const Attempt made = SendTo("ours", "gone");
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
}

TEST(TlsClient, SpeaksTlsToATlsServerOnly) {
  FaultServer plain({"greet"});
  HttpClient client({});
  const Attempt made = Send(client, Get("https://127.0.0.1:" + plain.port() + "/"));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
}

}  // namespace
}  // namespace qarion::secrets::net
