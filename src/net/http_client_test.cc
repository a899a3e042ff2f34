#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::FaultServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "fake-token-of-the-client";

HttpRequest Get(std::string url) {
  HttpRequest request{.url = std::move(url)};
  request.headers.push_back({"X-Fake-Token", Secret::CopyOf(kToken)});
  return request;
}

Attempt Send(HttpClient& client, const HttpRequest& request, milliseconds time = seconds(20)) {
  return client.Send(request, Clock::System()->SteadyNow() + time);
}

std::string Body(const Attempt& made) {
  return made.result ? std::string(made.result->body.Reveal()) : made.result.error().reason();
}

// A certificate of its own for 127.0.0.1 under `name`.pem and `name`.key.
void MakeCertificate(const test::TemporaryDirectory& directory, const std::string& name,
                     const std::string& alternative, const std::string& days = "1") {
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=fake -days " +
      days + " -addext subjectAltName=" + alternative + " -keyout " +
      directory.Path(name + ".key") + " -out " + directory.Path(name + ".pem") + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
}

TEST(HttpClient, SendsARequestAndReturnsTheAnswer) {
  FaultServer server({"answer:201:X-Fake=value"});
  HttpClient client({});
  HttpRequest request = Get(server.Url("/v1/path?query=1"));
  request.method = "POST";
  request.headers.push_back({"Content-Type", Secret::CopyOf("application/json")});
  request.body = Secret::CopyOf("{}");
  const Attempt made = Send(client, request);
  ASSERT_TRUE(made.result) << made.result.error().reason();
  EXPECT_EQ(made.result->status, 201);
  EXPECT_EQ(made.result->Find("x-fake"), "value");
  EXPECT_EQ(Body(made), R"({"data":"fake"})");
  EXPECT_THAT(server.NextLine(), AllOf(HasSubstr(R"("method": "POST", "path": "/v1/path?query=1")"),
                                       HasSubstr(R"("x-fake-token": "fake-token-of-the-client")"),
                                       HasSubstr(R"("content-type": "application/json")"),
                                       HasSubstr(R"("body": "{}")"), Not(HasSubstr("expect")),
                                       Not(HasSubstr("accept-encoding"))));
}

TEST(HttpClient, GivesEveryStatusBackAndFollowsNothing) {
  FaultServer other({"answer:200"});
  HttpClient client({});
  for (const std::string status : {"301", "302", "307", "308", "404", "503"}) {
    FaultServer server({"answer:" + status + ":Location=" + other.Url("/followed")});
    const Attempt made = Send(client, Get(server.Url()));
    ASSERT_TRUE(made.result);
    EXPECT_EQ(std::to_string(made.result->status), status);
    EXPECT_EQ(made.result->Find("location"), other.Url("/followed"));
  }
  EXPECT_TRUE(Send(client, Get(other.Url("/first"))).result);
  EXPECT_THAT(other.NextLine(), HasSubstr(R"("path": "/first")"));
}

TEST(HttpClient, UsesAConnectionAgain) {
  FaultServer server({"answer:200"});
  HttpClient client({});
  const auto port = [&] {
    EXPECT_TRUE(Send(client, Get(server.Url())).result);
    const std::string line = server.NextLine();
    return line.substr(line.find("\"port\""));
  };
  EXPECT_EQ(port(), port());
}

TEST(HttpClient, ServesThreadsSideBySide) {
  FaultServer server({"answer:200"});
  HttpClient client({});
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) EXPECT_TRUE(Send(client, Get(server.Url())).result);
    });
  }
}

struct Fault {
  const char* step;
  ErrorCode code;
  bool timed_out = false;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.step; }

class HttpFault : public testing::TestWithParam<Fault> {};

TEST_P(HttpFault, EndsSoonWithTheRightError) {
  FaultServer server({GetParam().step});
  HttpClient client({});
  const auto begin = steady_clock::now();
  const Attempt made = Send(client, Get(server.Url("/path")), milliseconds(1500));
  EXPECT_LT(steady_clock::now() - begin, seconds(10));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), GetParam().code) << made.result.error().reason();
  EXPECT_EQ(made.timed_out, GetParam().timed_out);
  EXPECT_THAT(made.result.error().reason(),
              AllOf(HasSubstr("127.0.0.1:" + server.port()), Not(HasSubstr(kToken))));
  EXPECT_FALSE(made.result.error().cure().empty());
}

INSTANTIATE_TEST_SUITE_P(All, HttpFault,
                         testing::Values(Fault{"close", ErrorCode::kUnavailable},
                                         Fault{"hang", ErrorCode::kUnavailable, true},
                                         Fault{"drip", ErrorCode::kUnavailable, true},
                                         Fault{"cut-header", ErrorCode::kUnavailable},
                                         Fault{"cut-body", ErrorCode::kUnavailable},
                                         Fault{"long-length", ErrorCode::kUnavailable},
                                         Fault{"endless-body", ErrorCode::kBadData},
                                         Fault{"endless-headers", ErrorCode::kBadData},
                                         Fault{"compressed", ErrorCode::kBadData},
                                         Fault{"no-http", ErrorCode::kBadData}));

TEST(HttpClient, ReadsOldAndDoubleAnswers) {
  HttpClient client({});
  FaultServer old({"http-1.0"});
  EXPECT_EQ(Body(Send(client, Get(old.Url()))), R"({"data":"fake"})");
  FaultServer two({"two-answers"});
  const Attempt made = Send(client, Get(two.Url()));
  ASSERT_TRUE(made.result);
  EXPECT_EQ(made.result->status, 200);
  EXPECT_EQ(made.result->Find("x-first"), std::nullopt);
}

TEST(HttpClient, SaysThatNobodyListens) {
  std::string url;
  {
    const FaultServer gone({"close"});
    url = gone.Url();
  }
  HttpClient client({});
  const Attempt made = Send(client, Get(url));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(made.result.error().reason(), HasSubstr("127.0.0.1"));
}

TEST(HttpClient, StopsAtOnceWhenTold) {
  FaultServer server({"hang"});
  HttpClient client({});
  std::stop_source stop;
  std::jthread stopper([&] {
    server.NextLine();  // the request has arrived
    stop.request_stop();
  });
  const auto begin = steady_clock::now();
  const Attempt made =
      client.Send(Get(server.Url()), Clock::System()->SteadyNow() + seconds(60), stop.get_token());
  EXPECT_LT(steady_clock::now() - begin, seconds(30));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable);
}

TEST(HttpClient, RefusesWhatNoRequestHas) {
  HttpClient client({});
  for (const char* url : {"", "127.0.0.1", "ftp://127.0.0.1/", "file:///etc/passwd",
                          "http://user:fake@127.0.0.1/", "http://127.0.0.1/#part",
                          "http://127.0.0.1/a b", "http://127.0.0.1/a\r\nX-Fake: 1", "http://"}) {
    const Attempt made = Send(client, Get(url));
    ASSERT_FALSE(made.result) << url;
    EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration) << url;
  }
}

TEST(HttpClient, LetsNoHeaderBringAnother) {
  FaultServer server({"answer:200"});
  HttpClient client({});
  for (const std::string& value : {std::string("a\r\nX-Other: 1"), std::string("a\nb"),
                                   std::string("a\0b", 3), std::string("a\x7f")}) {
    HttpRequest request{.url = server.Url()};
    request.headers.push_back({"X-Fake", Secret::CopyOf(value)});
    const Attempt made = Send(client, request);
    ASSERT_FALSE(made.result);
    EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
  }
  for (const char* name : {"", "X Fake", "X-Fake:", "X\r\nY"}) {
    HttpRequest request{.url = server.Url()};
    request.headers.push_back({name, Secret::CopyOf("a")});
    EXPECT_FALSE(Send(client, request).result) << name;
  }
}

TEST(HttpClient, TracesWhatWasAskedAndNothingSecret) {
  FaultServer server({"answer:200"});
  std::vector<std::string> lines;
  HttpClientOptions options;
  options.trace = [&](std::string_view line) { lines.emplace_back(line); };
  HttpClient client(std::move(options));
  ASSERT_TRUE(Send(client, Get(server.Url("/v1/path?version=fake-query"))).result);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0],
              AllOf(HasSubstr("GET 127.0.0.1:" + server.port() + " /v1/path -> 200"),
                    HasSubstr("attempt 1"), Not(HasSubstr("fake-query")), Not(HasSubstr(kToken))));
}

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
}

// Neither says how it will end, so another try may help.
TEST_F(TlsTest, EndsSoonWhereTheHandshakeDoes) {
  for (const char* const step : {"close", "close-when-spoken-to", "hang", "drip"}) {
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

TEST_F(TlsTest, ReadsARenewedCertificateForANewConnection) {
  MakeCertificate(directory_, "server", "IP:127.0.0.1");
  MakeCertificate(directory_, "client", "IP:127.0.0.1");
  HttpClientOptions options;
  options.tls.ca_file = directory_.Path("server.pem");
  options.tls.certificate_file = directory_.Path("client.pem");
  options.tls.key_file = directory_.Path("client.key");
  HttpClient client(std::move(options));
  const auto send = [&] {
    FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                        directory_.Path("server.key"), "answer:200"});
    return Send(client, Get("https://127.0.0.1:" + server.port() + "/"));
  };
  EXPECT_TRUE(send().result);
  directory_.Write("client.pem", "no certificate");
  const Attempt broken = send();
  ASSERT_FALSE(broken.result);
  EXPECT_EQ(broken.result.error().code(), ErrorCode::kConfiguration);
  MakeCertificate(directory_, "client", "IP:127.0.0.1");
  EXPECT_TRUE(send().result);
}

TEST_F(TlsTest, SaysThatAFileOfItsSettingsIsMissing) {
  MakeCertificate(directory_, "ours", "IP:127.0.0.1");
  const Attempt made = SendTo("ours", "gone");
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
}

TEST(HttpClient, SpeaksTlsToATlsServerOnly) {
  FaultServer plain({"greet"});
  HttpClient client({});
  const Attempt made = Send(client, Get("https://127.0.0.1:" + plain.port() + "/"));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kConfiguration);
}

}  // namespace
}  // namespace qarion::secrets::net
