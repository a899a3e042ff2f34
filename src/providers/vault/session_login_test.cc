// When a session logs in, and how often.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/session_test_base.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;

constexpr std::size_t kThreads = 8;
constexpr seconds kPauses[] = {seconds(5),  seconds(10),  seconds(20),  seconds(40),
                               seconds(80), seconds(160), seconds(300), seconds(300)};

class SessionLogin : public test::SessionTestBase {
 protected:
  // Another token instead of that one: its text, "none", or why not.
  std::string Replace(const HeldToken& refused) {
    auto token = session_->Replace(refused, Soon());
    if (!token) return std::string(ToString(token.error().code()));
    return *token ? std::string((*token)->value.Reveal()) : "none";
  }

  HeldToken Held() {
    auto token = session_->Token(Soon());
    EXPECT_TRUE(token);
    return {.value = token->value.Share(), .number = token->number};
  }
};

TEST_F(SessionLogin, HappensOnceForThreadsThatAskAtOnce) {
  Begin({{"login", {Grant("fake-1", 1000), Grant("fake-2", 1000)}}});
  EXPECT_THAT(AskAtOnce(kThreads, [this] { return Token(); }), Each("fake-1"));
  EXPECT_EQ(Count("login"), 1);
}

TEST_F(SessionLogin, HappensOnceForThreadsThatFindTheTokenExpired) {
  Begin({{"login", {Grant("fake-1", 1000), Grant("fake-2", 1000), Grant("fake-3", 1000)}}});
  EXPECT_EQ(Token(), "fake-1");
  Turn(seconds(1000) - milliseconds(1));
  EXPECT_EQ(Token(), "fake-1");
  Turn(milliseconds(1));
  EXPECT_THAT(AskAtOnce(kThreads, [this] { return Token(); }), Each("fake-2"));
  EXPECT_EQ(Count("login"), 2);
}

TEST_F(SessionLogin, HappensOnceForThreadsWhoseTokenWasRefused) {
  Begin({{"login", {Grant("fake-1", 1000), Grant("fake-2", 1000), Grant("fake-3", 1000)}}});
  const HeldToken first = Held();
  EXPECT_THAT(AskAtOnce(kThreads, [&] { return Replace(first); }), Each("fake-2"));
  EXPECT_EQ(Count("login"), 2);
  // Who comes late with the old token gets what the others have.
  EXPECT_EQ(Replace(first), "fake-2");
  EXPECT_EQ(Token(), "fake-2");
  EXPECT_EQ(Count("login"), 2);
}

TEST_F(SessionLogin, HappensOnceForEachRefusedToken) {
  Begin({{"login", {Grant("fake-1", 1000), Grant("fake-2", 1000), Grant("fake-3", 1000)}}});
  const HeldToken first = Held();
  EXPECT_THAT(AskAtOnce(kThreads, [&] { return Replace(first); }), Each("fake-2"));
  const HeldToken second = Held();
  EXPECT_THAT(AskAtOnce(kThreads, [&] { return Replace(second); }), Each("fake-3"));
  EXPECT_EQ(Count("login"), 3);
}

// The token that replaced it is not known to be good either, but it is another one.
TEST_F(SessionLogin, IsNoMatterWhereTheTokenWasReplacedMeanwhile) {
  Begin({{"login", {Grant("fake-1", 1000), Grant("fake-2", 1000), Grant("fake-3", 1000)}}});
  const HeldToken first = Held();
  EXPECT_EQ(Replace(first), "fake-2");
  session_->Rejected(Held());
  EXPECT_EQ(Replace(first), "fake-2");
  EXPECT_EQ(Replace(Held()), "none");
  EXPECT_EQ(Count("login"), 2);
}

TEST_F(SessionLogin, IsOfferedOnceWhereThreadsThatAskAtOnceAreRefused) {
  Begin({{"login", {Refusal(400)}}});
  EXPECT_THAT(AskAtOnce(kThreads, [this] { return Token(); }), Each("not_permitted"));
  EXPECT_EQ(Count("login"), 1);
}

class SessionRefusal : public SessionLogin, public testing::WithParamInterface<int> {};

// Servers lock an account after a few wrong passwords.
TEST_P(SessionRefusal, IsFollowedByNoLoginForLongerEachTime) {
  Begin({{"login", {Refusal(GetParam())}}});
  int logins = 0;
  for (const seconds pause : kPauses) {
    EXPECT_EQ(Token(), "not_permitted");
    EXPECT_EQ(Count("login"), ++logins) << "no login after a pause before " << pause.count();
    EXPECT_EQ(Token(), "not_permitted");
    Turn(pause / 2);
    EXPECT_EQ(Token(), "not_permitted");
    Turn(pause - pause / 2 - milliseconds(1));
    EXPECT_EQ(Token(), "not_permitted");
    EXPECT_EQ(Count("login"), logins) << "a login within " << pause.count() << " s";
    Turn(milliseconds(1));
  }
}

INSTANTIATE_TEST_SUITE_P(Status, SessionRefusal, testing::Values(400, 401, 403),
                         testing::PrintToStringParamName());

TEST_F(SessionLogin, WaitsShortlyAgainAfterASuccess) {
  Begin({{"login", {Refusal(400), Refusal(400), Grant("fake-1", 10), Refusal(400), Refusal(400)}}});
  EXPECT_EQ(Token(), "not_permitted");
  Turn(seconds(5));
  EXPECT_EQ(Token(), "not_permitted");
  Turn(seconds(10));
  EXPECT_EQ(Token(), "fake-1");
  Turn(seconds(10));
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 4);
  Turn(seconds(5) - milliseconds(1));
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 4);
  Turn(milliseconds(1));
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 5);
}

TEST_F(SessionLogin, HappensAtOnceWithOtherCredentials) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.Write("password", "fake-wrong");
  Begin({{"login", {Refusal(400), Grant("fake-1", 1000)}}}, 0,
        {{"VAULT_USERNAME", "fake-user"}, {"VAULT_PASSWORD_FILE", file}});
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 1);
  directory.Write("password", "fake-right");
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_THAT(Seen().back().body, testing::HasSubstr("fake-right"));
}

TEST_F(SessionLogin, HappensAtOnceWithAnotherCertificate) {
  const test::TemporaryDirectory directory;
  test::MakeCertificate(directory, "client");
  Begin({{"login", {Refusal(400), Grant("fake-1", 1000)}}}, 0,
        {{"VAULT_AUTH_METHOD", "cert"},
         {"VAULT_CLIENT_CERT", directory.Path("client.pem")},
         {"VAULT_CLIENT_KEY", directory.Path("client.key")}});
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 1);
  test::MakeCertificate(directory, "client");
  EXPECT_EQ(Token(), "fake-1");
}

TEST_F(SessionLogin, HappensAtOnceAfterAFailureThatIsNoRefusal) {
  Begin({{"login",
          {Refusal(503), Refusal(429), Refusal(502), {200, "no JSON"}, Grant("fake-1", 1000)}}});
  EXPECT_EQ(Token(), "unavailable");
  EXPECT_EQ(Token(), "try_again");
  EXPECT_EQ(Token(), "unavailable");
  EXPECT_EQ(Token(), "bad_data");
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_EQ(Count("login"), 5);
}

// The server may well fail over the same credentials again.
TEST_F(SessionLogin, WaitsAfterTheServerFailedOverIt) {
  Begin({{"login", {Refusal(500), Refusal(500), Grant("fake-1", 1000)}}});
  for (const seconds pause : {seconds(1), seconds(2)}) {
    EXPECT_EQ(Token(), "unavailable");
    const int logins = Count("login");
    Turn(pause - milliseconds(1));
    EXPECT_EQ(Token(), "unavailable");
    EXPECT_EQ(Count("login"), logins) << "a login within " << pause.count() << " s";
    Turn(milliseconds(1));
  }
  EXPECT_EQ(Token(), "fake-1");
}

// OpenBao 2.7.2 says 500 of these, and will go on saying it.
TEST_F(SessionLogin, TakesSomeFailuresForRefusals) {
  for (const char* const said :
       {"failed to verify client's certificate: x509: certificate has expired",
        "'aud' source data must be an array or slice, got string",
        "could not load backend configuration", "missing role_id"}) {
    Begin({{"login", {{500, R"({"errors":[")" + std::string(said) + R"("]})"}}}});
    EXPECT_EQ(Token(), "not_permitted") << said;
    EXPECT_EQ(Token(), "not_permitted");
  }
}

TEST_F(SessionLogin, HappensAtOnceAfterAFailureThatFollowsARefusal) {
  Begin({{"login", {Refusal(400), Refusal(503), Grant("fake-1", 1000)}}});
  EXPECT_EQ(Token(), "not_permitted");
  Turn(seconds(5));
  EXPECT_EQ(Token(), "unavailable");
  EXPECT_EQ(Token(), "fake-1");
}

// What a new login brought was refused as well.
TEST_F(SessionLogin, WaitsLongerEachTimeItDidNotHelp) {
  Begin({{"login", {Grant("fake-token", 1'000'000)}}});
  HeldToken token = Held();
  int logins = 1;
  for (const seconds pause : kPauses) {
    session_->Rejected(token);
    EXPECT_EQ(Replace(token), "none");
    Turn(pause - milliseconds(1));
    EXPECT_EQ(Replace(token), "none");
    EXPECT_EQ(Count("login"), logins) << "a login within " << pause.count() << " s";
    Turn(milliseconds(1));
    EXPECT_EQ(Replace(token), "fake-token");
    EXPECT_EQ(Count("login"), ++logins);
    token = Held();
  }
}

TEST_F(SessionLogin, WaitsShortlyAgainOnceATokenWasOfUse) {
  Begin({{"login", {Grant("fake-token", 1'000'000)}}});
  HeldToken token = Held();
  session_->Rejected(token);
  Turn(seconds(5));
  EXPECT_EQ(Replace(token), "fake-token");
  token = Held();
  session_->Accepted(token);
  EXPECT_EQ(Replace(token), "fake-token");
  token = Held();
  session_->Rejected(token);
  Turn(seconds(5));
  EXPECT_EQ(Replace(token), "fake-token");
}

TEST_F(SessionLogin, IsNotPossibleWithAGivenToken) {
  Begin({}, 0, {{"VAULT_TOKEN", "fake-given"}});
  EXPECT_EQ(Replace(Held()), "none");
  EXPECT_EQ(Token(), "fake-given");
  EXPECT_EQ(Seen().size(), 0u);
}

TEST_F(SessionLogin, TakesATokensFileAnewWhereItChanged) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.Write("token", "fake-first");
  Begin({}, 0, {{"VAULT_TOKEN_FILE", file}});
  const HeldToken first = Held();
  EXPECT_EQ(Replace(first), "none");
  directory.Write("token", "fake-second");
  EXPECT_EQ(Replace(first), "fake-second");
  EXPECT_EQ(Token(), "fake-second");
}

}  // namespace
}  // namespace qarion::secrets::vault
