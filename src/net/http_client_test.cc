#include "net/http_client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/http_test_helpers.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/empty_network.h"
#include "tests/support/sanitizers.h"
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
  threads.clear();
  std::set<std::string> connections;
  for (int i = 0; i < 8 * 20; ++i) {
    const std::string line = server.NextLine();
    connections.insert(line.substr(line.find("\"port\"")));
  }
  EXPECT_LE(connections.size(), 8u);
}

struct Fault {
  const char* step;
  ErrorCode code;
  bool timed_out = false;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.step; }

class HttpFault : public testing::TestWithParam<Fault> {};

// The limit that ends one which would hang is short, the others are beyond what a machine under
// load needs: which of them it was shows what ended the exchange.
TEST_P(HttpFault, EndsWithTheRightError) {
  constexpr seconds kBeyondLoad(60);
  FaultServer server({GetParam().step});
  HttpClientOptions options;
  options.limits.connect_timeout = options.limits.stall_timeout = 2 * kBeyondLoad;
  HttpClient client(std::move(options));
  const auto begin = steady_clock::now();
  const Attempt made = Send(client, Get(server.Url("/path")),
                            GetParam().timed_out ? milliseconds(1500) : kBeyondLoad);
  EXPECT_LT(steady_clock::now() - begin, kBeyondLoad);
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), GetParam().code) << made.result.error().reason();
  EXPECT_EQ(made.timed_out, GetParam().timed_out);
  EXPECT_THAT(made.result.error().reason(),
              AllOf(HasSubstr("127.0.0.1:" + server.port()), Not(HasSubstr(kTestToken))));
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
                                         Fault{"long-header", ErrorCode::kBadData},
                                         Fault{"compressed", ErrorCode::kBadData},
                                         Fault{"no-http", ErrorCode::kBadData}));

// What a server sends is not kept beyond the limits.
TEST(HttpClient, HoldsNoMoreOfAnAnswerThanItsLimits) {
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  HttpClient client({});
  const auto before = peak_kib();
  for (const char* const step : {"endless-body", "endless-headers", "long-header", "compressed"}) {
    FaultServer server({step});
    EXPECT_FALSE(Send(client, Get(server.Url())).result);
  }
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(HttpClient, EndsATransferThatStalls) {
  FaultServer server({"stall"});
  HttpClientOptions options;
  options.limits.stall_timeout = seconds(1);
  HttpClient client(std::move(options));
  const auto begin = steady_clock::now();
  const Attempt made = Send(client, Get(server.Url()), seconds(60));
  ASSERT_FALSE(made.result);
  EXPECT_EQ(made.result.error().code(), ErrorCode::kUnavailable);
  EXPECT_LT(steady_clock::now() - begin, seconds(20));
}

TEST(HttpClient, TellsWhetherTheServerMayHaveSeenTheRequest) {
  HttpClient client({});
  FaultServer reads({"read-and-close"});
  EXPECT_TRUE(Send(client, Get(reads.Url())).was_sent);
  FaultServer hangs({"hang"});
  EXPECT_TRUE(Send(client, Get(hangs.Url()), milliseconds(300)).was_sent);
  // No handshake, no request.
  const Attempt made =
      Send(client, Get("https://127.0.0.1:" + hangs.port() + "/"), milliseconds(300));
  EXPECT_FALSE(made.result);
  EXPECT_FALSE(made.was_sent);
  EXPECT_FALSE(Send(client, Get("http://127.0.0.1:1/")).was_sent);
}

// libcurl sends a request again, by itself, where an old connection turns out to be dead.
TEST(HttpClient, SendsWhatIsNotRepeatableOnAConnectionOfItsOwn) {
  FaultServer server({"answer:200"});
  HttpClient client({});
  ASSERT_TRUE(Send(client, Get(server.Url())).result);
  HttpRequest request = Get(server.Url());
  request.is_repeatable = false;
  ASSERT_TRUE(Send(client, request).result);
  const auto port_of = [](const std::string& line) { return line.substr(line.find("\"port\"")); };
  const std::string first = port_of(server.NextLine());
  EXPECT_NE(port_of(server.NextLine()), first);
}

TEST(HttpClient, LeavesNoConnectionToProgramsThatAreStarted) {
  FaultServer server({"answer:200"});
  HttpClient client({});
  ASSERT_TRUE(Send(client, Get(server.Url())).result);
  int connections = 0;
  for (int descriptor = 3; descriptor < 256; ++descriptor) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        peer.sin_family != AF_INET) {
      continue;
    }
    ++connections;
    EXPECT_NE(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(connections, 1);
}

// A proxy of this test's own: it answers whatever it is asked.
TEST(HttpClient, SendsThroughTheNamedProxy) {
  FaultServer proxy({"answer:200"});
  HttpClientOptions options;
  options.proxy.url = Secret::CopyOf("http://fake-user:fake-password@127.0.0.1:" + proxy.port());
  HttpClient client(std::move(options));
  EXPECT_TRUE(Send(client, Get("http://vault.example/v1/path")).result);
  EXPECT_THAT(proxy.NextLine(), AllOf(HasSubstr(R"("path": "http://vault.example/v1/path")"),
                                      HasSubstr(R"("proxy-authorization": "Basic )")));
}

TEST(HttpClient, TellsAProxyNothingButWhereToConnect) {
  FaultServer proxy({"answer:403"});
  HttpClientOptions options;
  options.proxy.url = Secret::CopyOf("http://127.0.0.1:" + proxy.port());
  HttpClient client(std::move(options));
  EXPECT_FALSE(Send(client, Get("https://vault.example:8200/v1/path")).result);
  EXPECT_THAT(proxy.NextLine(),
              AllOf(HasSubstr(R"("path": "vault.example:8200")"),
                    HasSubstr(R"("method": "CONNECT")"), Not(HasSubstr(kTestToken))));
}

TEST(HttpClient, AsksThisMachineWithoutTheProxyOfTheEnvironment) {
  FaultServer proxy({"answer:200"});
  FaultServer here({"answer:200"});
  setenv("http_proxy", ("http://127.0.0.1:" + proxy.port()).c_str(), 1);
  HttpClient client({});
  EXPECT_TRUE(Send(client, Get(here.Url())).result);
  EXPECT_TRUE(Send(client, Get("http://vault.example/")).result);
  unsetenv("http_proxy");
  EXPECT_EQ(here.CountRequests(), 1);
  EXPECT_EQ(proxy.CountRequests(), 1);
}

// The server is not to blame.
TEST(HttpClient, SaysThatTooManyFilesAreOpenHere) {
  if (test::kHasAddressSanitizer || test::kHasThreadSanitizer) {
    GTEST_SKIP() << "sanitizers look at memory through pipes, and find none here";
  }
  FaultServer server({"answer:200"});
  HttpClient client({});
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);  // the lowest that is free
  close(next);
  const rlimit few{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  const Attempt made = Send(client, Get(server.Url()));
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(made.result);
  EXPECT_THAT(made.result.error().reason(), HasSubstr("too many files are open"));
  EXPECT_THAT(made.result.error().cure(), HasSubstr("ulimit -n"));
}

// In a network where nobody but the proxy answers.
void AskMetadataServicesBehindAProxy() {
  constexpr int kNotPermitted = 77;
  if (!test::EnterEmptyNetwork()) _exit(kNotPermitted);
  FaultServer proxy({"answer:200"});
  HttpClientOptions options;
  options.proxy.url = Secret::CopyOf("http://127.0.0.1:" + proxy.port());
  HttpClient client(std::move(options));
  bool is_right = Send(client, Get("http://vault.example/")).result.has_value();
  for (const char* const host : {"169.254.169.254", "169.254.170.2", "169.254.170.23",
                                 "[fd00:ec2::254]", "[fd00:ec2::23]", "metadata.google.internal"}) {
    if (Send(client, Get("http://" + std::string(host) + "/"), seconds(2)).result) is_right = false;
  }
  _exit(is_right && proxy.CountRequests() == 1 ? 0 : 1);
}

// Their addresses mean another machine to a proxy.
TEST(HttpClientDeathTest, AsksMetadataServicesThroughNoProxy) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      AskMetadataServicesBehindAProxy(),
      [](int status) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
          std::puts("skipped: this machine permits no network namespace");
          return true;
        }
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
      },
      "");
}

// The page of a proxy before a server that is down, say.
TEST(HttpClient, TakesWhatItCannotReadOfAFailureForAFailure) {
  HttpClient client({});
  for (const auto& [step, code] : {std::pair("compressed:503", ErrorCode::kUnavailable),
                                   std::pair("compressed:200", ErrorCode::kBadData),
                                   std::pair("compressed:404", ErrorCode::kBadData)}) {
    FaultServer server({step});
    const Attempt made = Send(client, Get(server.Url()));
    ASSERT_FALSE(made.result) << step;
    EXPECT_EQ(made.result.error().code(), code) << step;
  }
}

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
  EXPECT_THAT(lines[0], AllOf(HasSubstr("GET 127.0.0.1:" + server.port() + " /v1/path -> 200"),
                              HasSubstr("attempt 1"), Not(HasSubstr("fake-query")),
                              Not(HasSubstr(kTestToken))));
  const HttpRequest hidden{.url = server.Url("/fake-path"), .is_path_secret = true};
  ASSERT_TRUE(Send(client, hidden).result);
  EXPECT_THAT(lines.back(), AllOf(HasSubstr(" /*** ->"), Not(HasSubstr("fake-path"))));
}

}  // namespace
}  // namespace qarion::secrets::net
