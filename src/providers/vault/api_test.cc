#include "providers/vault/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/system_clock.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/certificate.h"
#include "tests/support/given_settings.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kRead[] = R"({"data":{"data":{},"metadata":{"version":1}}})";

class ApiTest : public testing::Test {
 protected:
  void Connect(const std::string& addresses, std::map<std::string, std::string> more = {}) {
    more.emplace("VAULT_ADDR", addresses);
    more.emplace("VAULT_TOKEN", "fake-token");
    auto settings = test::Load(more);
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_ = std::make_unique<VaultSettings>(std::move(*settings));
    api_ = std::make_unique<Api>(*settings_, clock_, nullptr);
  }

  Result<ApiAnswer> Read(milliseconds time = seconds(20)) {
    return api_->Send({.path = "secret/data/qarion", .token = &token_},
                      {.deadline = clock_.SteadyNow() + time});
  }

  // "200", or the code of the error.
  static std::string Outcome(const Result<ApiAnswer>& answer) {
    return answer ? std::to_string(answer->status) : std::string(ToString(answer.error().code()));
  }

  core::SystemClock clock_;
  Secret token_ = Secret::CopyOf("fake-token");
  std::unique_ptr<VaultSettings> settings_;
  std::unique_ptr<Api> api_;
};

TEST_F(ApiTest, SendsTheHeadersOfTheProtocol) {
  FaultServer server({"json:200:" + std::string(kRead)});
  Connect(server.Url(""),
          {{"VAULT_NAMESPACE", "team1"}, {"VAULT_HEADERS", R"({"X-Gateway":"fake"})"}});
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_THAT(
      server.NextLine(),
      AllOf(HasSubstr(R"("method": "GET", "path": "/v1/secret/data/qarion")"),
            HasSubstr(R"("x-vault-request": "true")"),
            HasSubstr(R"("x-vault-token": "fake-token")"),
            HasSubstr(R"("x-vault-namespace": "team1")"), HasSubstr(R"("x-gateway": "fake")")));
}

struct Fault {
  const char* step;
  const char* outcome;
  int attempts;
};

class ApiFault : public ApiTest, public testing::WithParamInterface<Fault> {};

// Three attempts, as VAULT_MAX_RETRIES has it where it is not set, where another one can help.
TEST_P(ApiFault, EndsWithTheRightErrorAfterTheRightNumberOfAttempts) {
  FaultServer server({GetParam().step});
  Connect(server.Url(""));
  const auto begin = std::chrono::steady_clock::now();
  auto answer = Read();
  EXPECT_EQ(Outcome(answer), GetParam().outcome) << (answer ? "" : answer.error().reason());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(15));
  EXPECT_EQ(server.CountRequests(), GetParam().attempts);
  if (answer) return;
  EXPECT_EQ(answer.error().reason().find("fake-token"), std::string::npos);
  EXPECT_NE(answer.error().cure(), "");
}

INSTANTIATE_TEST_SUITE_P(
    All, ApiFault,
    testing::Values(
        Fault{"cut-header", "unavailable", 3}, Fault{"cut-body", "unavailable", 3},
        Fault{"long-length", "unavailable", 3}, Fault{"endless-body", "bad_data", 1},
        Fault{"endless-headers", "bad_data", 1}, Fault{"long-header", "bad_data", 1},
        Fault{"read-and-close", "unavailable", 3}, Fault{"compressed", "bad_data", 1},
        Fault{"no-http", "bad_data", 1}, Fault{"json:200:{\"cut", "bad_data", 1},
        Fault{"json:200:<html>", "bad_data", 1}, Fault{"http-1.0", "200", 1},
        Fault{"two-answers", "200", 1}, Fault{"page:200", "bad_data", 1},
        Fault{R"(json:400:{"errors":[]})", "400", 1}, Fault{R"(json:403:{"errors":[]})", "403", 1},
        Fault{R"(json:404:{"errors":[]})", "404", 1}, Fault{R"(json:405:{"errors":[]})", "405", 1},
        Fault{R"(json:412:{"errors":[]})", "412", 3}, Fault{R"(json:429:{"errors":[]})", "429", 3},
        // Not the server's own words: they say nothing of the secret.
        Fault{"page:403", "unavailable", 1}, Fault{"page:404", "unavailable", 1},
        Fault{"json:413:too large", "unavailable", 1}, Fault{"json:472:{}", "unavailable", 1},
        Fault{"json:500:{}", "500", 3}, Fault{"json:501:{}", "501", 1},
        Fault{"json:502:<html>", "502", 3}, Fault{"json:503:{}", "503", 3},
        Fault{"json:504:", "504", 3}, Fault{"json:530:{}", "530", 3}),
    [](const testing::TestParamInfo<Fault>& tested) {
      std::string name(tested.param.step);
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      return name + std::to_string(tested.index);
    });

TEST_F(ApiTest, WaitsNoLongerThanItsDeadline) {
  for (const char* const step : {"hang", "drip"}) {
    FaultServer server({step});
    Connect(server.Url(""));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Outcome(Read(milliseconds(400))), "unavailable");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(2));
  }
}

TEST_F(ApiTest, HasATimeoutOfItsOwn) {
  FaultServer server({"hang"});
  Connect(server.Url(""), {{"VAULT_CLIENT_TIMEOUT", "500ms"}});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Outcome(Read()), "unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
}

TEST_F(ApiTest, DoesNotRetryWhereToldNotTo) {
  FaultServer server({"json:503:{}"});
  Connect(server.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
  EXPECT_EQ(Outcome(Read()), "503");
  EXPECT_EQ(server.CountRequests(), 1);
}

TEST_F(ApiTest, AsksTheNextAddressAtOnceAndThenFirst) {
  for (const char* const step :
       {"close", "hang", "json:503:{}", "json:500:local node not active"}) {
    FaultServer first({step});
    FaultServer second({"json:200:" + std::string(kRead)});
    Connect(first.Url("") + "," + second.Url(""));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Outcome(Read()), "200") << step;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1800)) << step;
    EXPECT_EQ(Outcome(Read()), "200");
    EXPECT_LE(first.CountRequests(), 1);
    EXPECT_EQ(second.CountRequests(), 2);
    EXPECT_EQ(api_->address(), second.Url(""));
  }
}

TEST_F(ApiTest, TakesADefiniteAnswerForAll) {
  FaultServer first({R"(json:403:{"errors":[]})"});
  FaultServer second({"json:200:" + std::string(kRead)});
  Connect(first.Url("") + "," + second.Url(""));
  EXPECT_EQ(Outcome(Read()), "403");
  EXPECT_EQ(second.CountRequests(), 0);
}

TEST_F(ApiTest, FollowsARedirectToAnotherConfiguredAddressOnce) {
  FaultServer leader({"json:200:" + std::string(kRead)});
  FaultServer standby({"answer:307:Location=" + leader.Url("/v1/secret/data/qarion")});
  Connect(standby.Url("") + "," + leader.Url(""));
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_EQ(standby.CountRequests(), 1);
  EXPECT_THAT(leader.NextLine(), HasSubstr(R"("x-vault-token": "fake-token")"));
}

TEST_F(ApiTest, FollowsARedirectToALearnedAddress) {
  FaultServer leader({"json:200:" + std::string(kRead)});
  FaultServer standby({"answer:307:Location=" + leader.Url("/v1/secret/data/qarion")});
  Connect(standby.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
  EXPECT_EQ(Outcome(Read()), "unavailable");
  api_->Learn(leader.Url(""));
  EXPECT_EQ(Outcome(Read()), "200");
}

TEST_F(ApiTest, SurvivesARedirectToAServerThatDoesNotAnswer) {
  for (const char* const step : {"close", "hang"}) {
    FaultServer leader({step});
    FaultServer standby({"answer:307:Location=" + leader.Url("/v1/secret/data/qarion")});
    FaultServer other({"json:200:" + std::string(kRead)});
    Connect(standby.Url("") + "," + leader.Url("") + "," + other.Url(""));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Outcome(Read()), "200") << step;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1800)) << step;
  }
}

TEST_F(ApiTest, SendsNothingToAHostThatNobodyNamed) {
  FaultServer thief({"json:200:" + std::string(kRead)});
  for (const std::string& location :
       {thief.Url("/v1/secret/data/qarion"), "//127.0.0.1:" + thief.port() + "/x",
        "https://127.0.0.1:" + thief.port() + "/x"}) {
    FaultServer server({"answer:307:Location=" + location});
    Connect(server.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
    auto answer = Read();
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().reason(),
                AllOf(HasSubstr("127.0.0.1:" + thief.port()), HasSubstr("VAULT_ADDR"),
                      HasSubstr("nothing was sent there")));
  }
  EXPECT_EQ(thief.CountRequests(), 0);
}

TEST_F(ApiTest, SendsNothingInClearTextToAnotherMachine) {
  FaultServer server({"answer:307:Location=http://192.0.2.1:8200/v1/x"});
  Connect(server.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
  api_->Learn("http://192.0.2.1:8200");
  auto answer = Read();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().reason(), HasSubstr("in clear text"));
}

TEST_F(ApiTest, SaysThatNoneOfSeveralAddressesServes) {
  FaultServer first({"close"});
  FaultServer second({"close"});
  Connect(first.Url("") + "," + second.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
  auto answer = Read();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().reason(),
              AllOf(HasSubstr("none of the 2 addresses of VAULT_ADDR serves: "),
                    HasSubstr("127.0.0.1:" + first.port() + ": "),
                    HasSubstr("127.0.0.1:" + second.port() + ": ")));
}

// It says more than that another one is silent.
TEST_F(ApiTest, ReportsAnAnswerRatherThanASilence) {
  FaultServer sealed({R"(json:503:{"errors":["Vault is sealed"]})"});
  FaultServer dead({"close"});
  for (const std::string& addresses :
       {sealed.Url("") + "," + dead.Url(""), dead.Url("") + "," + sealed.Url("")}) {
    Connect(addresses, {{"VAULT_MAX_RETRIES", "0"}});
    auto answer = Read();
    ASSERT_TRUE(answer) << answer.error().reason();
    EXPECT_EQ(answer->Errors(), "Vault is sealed");
    EXPECT_EQ(answer->address, sealed.Url(""));
  }
}

// A slow server is no dead one: the others are asked beside it, and it is not given up.
TEST_F(ApiTest, WaitsForServersThatAreAllSlow) {
  for (const char* const retries : {"2", "0"}) {
    FaultServer first({"late:1.5:200"});
    FaultServer second({"late:1.5:200"});
    Connect(first.Url("") + "," + second.Url(""), {{"VAULT_MAX_RETRIES", retries}});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(Outcome(Read()), "200");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
    EXPECT_LE(first.CountRequests() + second.CountRequests(), 4);
  }
}

TEST_F(ApiTest, AsksAServerThatHungAgainBesideItsFirstRequest) {
  FaultServer first({"hang", "hang", "json:200:" + std::string(kRead)});
  FaultServer second({"hang"});
  Connect(first.Url("") + "," + second.Url(""));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(8));
}

TEST_F(ApiTest, StopsWithAllThatIsOnItsWay) {
  FaultServer first({"hang"});
  FaultServer second({"hang"});
  Connect(first.Url("") + "," + second.Url(""));
  std::stop_source stop;
  std::jthread stopper([&] {
    first.NextLine();
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(
      api_->Send({.path = "secret/data/qarion"},
                 {.deadline = clock_.SteadyNow() + seconds(60), .stop = stop.get_token()}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
}

// What uses something up is sent once, wherever its answer is lost.
TEST_F(ApiTest, SendsNoSecondTimeWhatIsNotToBeRepeated) {
  const ApiRequest unwrap{
      .method = "POST", .path = "sys/wrapping/unwrap", .repeats = Repeats::kNever};
  for (const char* const step : {"read-and-close", "hang", "cut-body"}) {
    FaultServer loses({step});
    FaultServer other({"answer:200"});
    Connect(loses.Url("") + "," + other.Url(""));
    EXPECT_EQ(Outcome(api_->Send(unwrap, {.deadline = clock_.SteadyNow() + seconds(1)})),
              "unavailable");
    EXPECT_EQ(loses.CountRequests(), 1) << step;
    EXPECT_EQ(other.CountRequests(), 0) << step;
  }
  // Where it cannot have been read it goes elsewhere.
  FaultServer other({"answer:200"});
  Connect("http://127.0.0.1:1," + other.Url(""));
  EXPECT_EQ(Outcome(api_->Send(unwrap, {.deadline = clock_.SteadyNow() + seconds(10)})), "200");
}

TEST_F(ApiTest, SendsALoginToOneServerAfterTheOther) {
  FaultServer slow({"late:1:200"});
  FaultServer other({"answer:200"});
  Connect(slow.Url("") + "," + other.Url(""));
  EXPECT_EQ(Outcome(api_->Send(
                {.method = "POST", .path = "auth/approle/login", .repeats = Repeats::kInTurn},
                {.deadline = clock_.SteadyNow() + seconds(20)})),
            "200");
  EXPECT_EQ(other.CountRequests(), 0);
}

TEST_F(ApiTest, HasARateLimit) {
  FaultServer server({"json:200:" + std::string(kRead)});
  Connect(server.Url(""), {{"VAULT_RATE_LIMIT", "0.5:2"}});
  EXPECT_EQ(Outcome(Read(seconds(1))), "200");
  EXPECT_EQ(Outcome(Read(seconds(1))), "200");
  for (int i = 0; i < 20; ++i) {
    auto answer = Read(milliseconds(20));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::kTryAgain);
    EXPECT_THAT(answer.error().reason(), HasSubstr("VAULT_RATE_LIMIT"));
  }
  // Those that gave up took nobody's place.
  EXPECT_EQ(Outcome(Read(seconds(5))), "200");
  EXPECT_EQ(server.CountRequests(), 3);
}

class ApiWithServices : public ApiTest {
 protected:
  void ConnectTo(const std::string& address) {
    Connect(address, {{"VAULT_SRV_LOOKUP", "true"}});
    api_ = std::make_unique<Api>(*settings_, clock_, nullptr,
                                 [this](const std::string& name, milliseconds time) {
                                   asked_.push_back(name);
                                   EXPECT_GT(time, milliseconds(0));
                                   EXPECT_LE(time, seconds(20));
                                   return answer_;
                                 });
  }

  std::vector<std::string> asked_;
  net::SrvAnswer answer_;
};

TEST_F(ApiWithServices, AskWhereTheServiceIsAndNameTheHostOfTheAddress) {
  FaultServer server({"json:200:" + std::string(kRead)});
  answer_ = {
      .is_known = true,
      .target = net::SrvTarget{"127.0.0.1", static_cast<std::uint16_t>(std::stoi(server.port()))}};
  ConnectTo("http://vault.example");
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_THAT(server.NextLine(), HasSubstr(R"("host": "vault.example")"));
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_EQ(asked_, std::vector<std::string>{"_http._tcp.vault.example"});
}

TEST_F(ApiWithServices, AreNotAskedForWhereThereIsAPort) {
  FaultServer server({"json:200:" + std::string(kRead)});
  ConnectTo(server.Url(""));
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_TRUE(asked_.empty());
}

// A name server that was down at the start is asked again.
TEST_F(ApiWithServices, AreAskedForAgainWhereNobodyCouldSay) {
  FaultServer server({"json:200:" + std::string(kRead)});
  ConnectTo("http://vault.invalid");
  EXPECT_EQ(Outcome(Read(seconds(1))), "unavailable");
  answer_ = {
      .is_known = true,
      .target = net::SrvTarget{"127.0.0.1", static_cast<std::uint16_t>(std::stoi(server.port()))}};
  EXPECT_EQ(Outcome(Read()), "200");
}

class ApiOverTls : public ApiTest {
 protected:
  ApiOverTls() { test::MakeCertificate(directory_, "server"); }
  FaultServer Serve(const std::string& step) const {
    return FaultServer({"--certificate", directory_.Path("server.pem"), "--key",
                        directory_.Path("server.key"), step});
  }
  std::map<std::string, std::string> Trust() const {
    return {{"VAULT_CACERT", directory_.Path("server.pem")}, {"VAULT_MAX_RETRIES", "0"}};
  }
  static std::string Https(const FaultServer& server) {
    return "https://127.0.0.1:" + server.port();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(ApiOverTls, FollowsARedirectFromHttpsToHttps) {
  FaultServer leader = Serve("json:200:" + std::string(kRead));
  FaultServer standby = Serve("answer:307:Location=" + Https(leader) + "/v1/secret/data/qarion");
  Connect(Https(standby) + "," + Https(leader), Trust());
  EXPECT_EQ(Outcome(Read()), "200");
  EXPECT_EQ(standby.CountRequests(), 1);
  EXPECT_THAT(leader.NextLine(), HasSubstr(R"("x-vault-token": "fake-token")"));
}

TEST_F(ApiOverTls, FollowsNoRedirectFromHttpsToHttp) {
  FaultServer plain({"json:200:" + std::string(kRead)});
  FaultServer standby = Serve("answer:307:Location=" + plain.Url("/v1/secret/data/qarion"));
  Connect(Https(standby), Trust());
  api_->Learn(plain.Url(""));
  auto answer = Read();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().reason(), HasSubstr("in clear text"));
  EXPECT_EQ(plain.CountRequests(), 0);
}

// They change the method or come from something before the server.
TEST_F(ApiTest, FollowsNoOtherKindOfRedirect) {
  FaultServer leader({"json:200:" + std::string(kRead)});
  for (const std::string status : {"301", "302", "303"}) {
    FaultServer server({"answer:" + status + ":Location=" + leader.Url("/v1/x")});
    Connect(server.Url("") + "," + leader.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
    auto answer = api_->Send({.method = "POST", .path = "x", .repeats = Repeats::kInTurn},
                             {.deadline = clock_.SteadyNow() + seconds(10)});
    EXPECT_EQ(Outcome(answer), "200");  // of the other address
    EXPECT_EQ(server.CountRequests(), 1);
    EXPECT_EQ(leader.CountRequests(), 1);
    Connect(server.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
    auto alone = Read();
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(alone.error().reason(), HasSubstr("(" + status + ") to " + leader.Url("")));
  }
}

TEST_F(ApiTest, FollowsNothingElse) {
  FaultServer other({"answer:307:Location=http://127.0.0.1:1/"});
  const std::string there = other.Url("/v1/x");
  struct {
    std::string step;
    const char* says;
  } const cases[] = {{"answer:307:Location=" + there, "redirects again"},
                     {"answer:307", "without saying where to"},
                     {"answer:307:Location=/v1/elsewhere", "to itself"},
                     {"answer:307:Location=file:///etc/passwd", "without saying where to"}};
  for (const auto& tried : cases) {
    FaultServer server({tried.step});
    Connect(server.Url(""), {{"VAULT_MAX_RETRIES", "0"}});
    api_->Learn(other.Url(""));
    auto answer = Read();
    ASSERT_FALSE(answer) << tried.step;
    EXPECT_THAT(answer.error().reason(), HasSubstr(tried.says));
    EXPECT_EQ(server.CountRequests(), 1);
  }
  FaultServer server({"answer:307:Location=" + there});
  Connect(server.Url("") + "," + other.Url(""),
          {{"VAULT_DISABLE_REDIRECTS", "true"}, {"VAULT_MAX_RETRIES", "0"}});
  auto answer = Read();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().reason(), HasSubstr("VAULT_DISABLE_REDIRECTS"));
}

TEST_F(ApiTest, DoesNotShowWhatItSentWhereTheServerQuotesIt) {
  FaultServer server({R"(json:400:{"errors":["fake-token and fake-password are wrong"]})"});
  Connect(server.Url(""));
  auto answer = api_->Send({.method = "POST",
                            .path = "auth/userpass/login/app",
                            .body = Secret::CopyOf(R"({"password":"fake-password"})"),
                            .token = &token_},
                           {.deadline = clock_.SteadyNow() + seconds(20)});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Errors(), "*** and *** are wrong");
}

// Whatever the status, and the credentials of gateways as well.
TEST_F(ApiTest, DoesNotShowWhatItSentInAnyAnswer) {
  for (const std::string status : {"200", "202", "206", "400", "503"}) {
    FaultServer server(
        {"json:" + status +
         R"(:{"errors":["fake-jwt fake-token fake-mfa fake-gateway-key fake-role"]})"});
    Connect(server.Url(""), {{"VAULT_MFA", "fake-mfa"},
                             {"VAULT_MAX_RETRIES", "0"},
                             {"VAULT_HEADERS", R"({"X-Gateway-Key":"fake-gateway-key"})"}});
    auto answer = api_->Send({.method = "POST",
                              .path = "auth/jwt/login",
                              .body = Secret::CopyOf(R"({"role":"fake-role","jwt":"fake-jwt"})"),
                              .token = &token_},
                             {.deadline = clock_.SteadyNow() + seconds(20)});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->Errors(), "*** *** *** *** fake-role") << status;
  }
}

// A proxy without a server behind it.
TEST_F(ApiTest, AsksTheNextAddressWhereSomethingElseAnswers) {
  for (const char* const step : {"page:404", "page:403", "page:200", "page:401",
                                 R"(json:404:{"message":"no route"})", "page:503"}) {
    FaultServer proxy({step});
    FaultServer server({"json:200:" + std::string(kRead)});
    Connect(proxy.Url("") + "," + server.Url(""));
    EXPECT_EQ(Outcome(Read()), "200") << step;
    EXPECT_EQ(api_->address(), server.Url(""));
  }
}

// What the last attempt had no time for is not what went wrong.
TEST_F(ApiTest, ReportsWhatWentWrongAndNotThatTheTimeWasUp) {
  FaultServer server({R"(late:0.3:429)", "hang"});
  Connect(server.Url(""));
  EXPECT_EQ(Outcome(Read(milliseconds(1500))), "429");
}

TEST_F(ApiTest, NamesTheSocketAndTheProxyThatCannotBeReached) {
  Connect("unix:///nowhere/fake.sock", {{"VAULT_MAX_RETRIES", "0"}});
  auto by_socket = Read();
  ASSERT_FALSE(by_socket);
  EXPECT_THAT(by_socket.error().reason(), AllOf(HasSubstr("/nowhere/fake.sock"),
                                                HasSubstr("No such file"), Not(HasSubstr("80"))));
  Connect("http://vault.example:8200",
          {{"VAULT_MAX_RETRIES", "0"}, {"VAULT_PROXY_ADDR", "http://127.0.0.1:1"}});
  auto by_proxy = Read();
  ASSERT_FALSE(by_proxy);
  EXPECT_THAT(by_proxy.error().reason(), HasSubstr("VAULT_PROXY_ADDR"));
  EXPECT_THAT(by_proxy.error().cure(), HasSubstr("the proxy runs"));
}

TEST_F(ApiTest, ShowsWhatTheServerSaysOnOneLineAndShortened) {
  FaultServer server(
      {R"(json:404:{"errors":["1 error occurred:\n\t* no\tway\u0007\n\n"],"warnings":[")" +
       std::string(2000, 'x') + R"("]})"});
  Connect(server.Url(""));
  auto answer = Read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->Errors(), "no way");
  EXPECT_LT(answer->Warnings().size(), 320u);
}

}  // namespace
}  // namespace qarion::secrets::vault
