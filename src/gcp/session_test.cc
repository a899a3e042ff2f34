#include "gcp/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fakes/local_server.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/revealed.h"
#include "tests/support/skipping_clock.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char kTokenPath[] = "/token";
constexpr char kApiPath[] = "/v1/things";

// A workforce user's login, whose token endpoint can be any, and an API: both on one server.
class SessionTest : public testing::Test {
 protected:
  SessionTest() { WriteFile("fake-refresh-0"); }

  void WriteFile(const std::string& refresh_token, const std::string& more = "") {
    path_ = directory_.Write("user.json", R"({"type": "external_account_authorized_user",
      "client_id": "id", "client_secret": "fake-client-secret", "refresh_token": ")" +
                                              refresh_token + R"(", "token_url": ")" +
                                              server_.Url() + kTokenPath + "\"" + more + "}");
  }

  void Open(std::map<std::string, std::string> given = {}) {
    given.try_emplace("HOME", "/nonexistent");
    given.try_emplace("GOOGLE_APPLICATION_CREDENTIALS", path_);
    auto settings =
        SessionSettings::Load([&given](const std::string& name) -> std::optional<std::string_view> {
          const auto found = given.find(name);
          if (found == given.end()) return std::nullopt;
          return found->second;
        });
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_.emplace(std::move(*settings));
    session_.emplace(
        *settings_, TokenUse{.audience = "https://secretmanager.googleapis.com/", .scope = {}},
        clock_, [this](std::string_view line) { log_.emplace_back(line); }, false);
  }

  test::LocalAnswer Answer(const test::LocalRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (request.path != kTokenPath) {
      const auto found = request.headers.find("authorization");
      const std::string bearer = found == request.headers.end() ? "" : found->second;
      if (bearer == "Bearer " + refused_) {
        return {401, R"({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no"}})"};
      }
      return {api_status_, "{}"};
    }
    if (token_status_ != 200) return {token_status_, R"({"error": "invalid_grant"})"};
    ++tokens_;
    return {200, R"({"access_token": "fake-token-)" + std::to_string(tokens_) +
                     R"(", "expires_in": 3600)" + more_in_token_ + "}"};
  }

  net::Call Soon() { return {.deadline = clock_.SteadyNow() + seconds(60)}; }
  std::string Token() {
    const auto token = session_->Token(Soon());
    return token ? std::string(token->text.Reveal()) : token.error().reason();
  }
  Result<ApiAnswer> Send(int attempts = 1) {
    net::RetryPolicy policy{.most_attempts = attempts};
    return session_->Send({.url = server_.Url() + kApiPath, .routing = "name=a/b"}, policy, Soon());
  }
  std::vector<std::string> BearersSeen() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> bearers;
    for (const auto& request : requests_) {
      if (request.path == kApiPath) bearers.push_back(request.headers.at("authorization"));
    }
    return bearers;
  }

  std::mutex mutex_;
  std::vector<test::LocalRequest> requests_;
  std::string refused_ = "none";
  std::string more_in_token_;
  int api_status_ = 200;
  int token_status_ = 200;
  int tokens_ = 0;
  test::LocalServer server_{[this](const test::LocalRequest& request) { return Answer(request); }};
  const test::TemporaryDirectory directory_;
  std::string path_;
  test::SkippingClock clock_;
  std::vector<std::string> log_;
  std::optional<SessionSettings> settings_;
  std::optional<Session> session_;
};

// As google-auth does it: REFRESH_THRESHOLD is 3:45.
TEST_F(SessionTest, RenewsTokensInTime) {
  Open();
  EXPECT_EQ(Token(), "fake-token-1");
  clock_.Advance(seconds(3600 - 225 - 1));
  EXPECT_EQ(Token(), "fake-token-1");
  clock_.Advance(seconds(2));
  EXPECT_EQ(Token(), "fake-token-2");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SessionTest, UsesATokenThatCannotBeRenewedUntilItsEnd) {
  Open();
  EXPECT_EQ(Token(), "fake-token-1");
  token_status_ = 400;
  clock_.Advance(seconds(3600 - 100));
  EXPECT_EQ(Token(), "fake-token-1");
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0], HasSubstr("those there are last a while yet"));
  EXPECT_THAT(log_[0], testing::Not(HasSubstr("fake-")));
  clock_.Advance(seconds(101));
  EXPECT_THAT(Token(), HasSubstr("invalid_grant"));
}

// With windows whose second is empty: a token is waited for at its very end alone.
TEST_F(SessionTest, RenewsTokensOnceForAllThreads) {
  Open();
  test::FakeClockAhead clock;
  Session session(
      *settings_, TokenUse{.audience = "https://secretmanager.googleapis.com/", .scope = {}}, clock,
      [](std::string_view) {}, false);
  const auto tokens_of_all = [&] {
    std::mutex mutex;
    std::set<std::string> tokens;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const auto token = session.Token({.deadline = clock.SteadyNow() + seconds(60)});
        const std::lock_guard lock(mutex);
        tokens.emplace(token ? token->text.Reveal() : "none");
      });
    }
    threads.clear();
    return tokens;
  };
  EXPECT_EQ(tokens_of_all(), std::set<std::string>{"fake-token-1"});
  clock.fake().Advance(seconds(3601));
  EXPECT_EQ(tokens_of_all(), std::set<std::string>{"fake-token-2"});
  // One renews it early, and the others may go on with the old one.
  clock.fake().Advance(seconds(3600 - 100));
  EXPECT_TRUE(tokens_of_all().contains("fake-token-3"));
  EXPECT_EQ(tokens_, 3);
}

TEST_F(SessionTest, ShowsItsTokenToTheApi) {
  Open();
  const auto answer = Send();
  ASSERT_TRUE(answer) << answer.error().reason();
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(BearersSeen(), ElementsAre("Bearer fake-token-1"));
  EXPECT_EQ(requests_.back().headers.at("x-goog-request-params"), "name=a/b");
  EXPECT_FALSE(requests_.back().headers.contains("x-goog-user-project"));
}

TEST_F(SessionTest, GetsAnotherTokenWhereOneIsNotAccepted) {
  Open();
  refused_ = "fake-token-1";
  const auto answer = Send();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(BearersSeen(), ElementsAre("Bearer fake-token-1", "Bearer fake-token-2"));
}

TEST_F(SessionTest, DoesSoOnce) {
  Open();
  api_status_ = 401;
  const auto answer = Send();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(BearersSeen().size(), 2U);
}

TEST_F(SessionTest, TriesAgainAsItIsTold) {
  Open();
  api_status_ = 503;
  const auto answer = Send(3);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(BearersSeen().size(), 3U);
  EXPECT_EQ(clock_.pauses().size(), 2U);
}

TEST_F(SessionTest, NamesTheProjectThatIsCharged) {
  WriteFile("fake-refresh-0", R"(, "quota_project_id": "of-file")");
  Open();
  ASSERT_TRUE(Send());
  EXPECT_EQ(requests_.back().headers.at("x-goog-user-project"), "of-file");
  Open({{"GOOGLE_CLOUD_QUOTA_PROJECT", "of-variable"}});
  ASSERT_TRUE(Send());
  EXPECT_EQ(requests_.back().headers.at("x-goog-user-project"), "of-variable");
}

// Some logins hand out another refresh token with each access token.
TEST_F(SessionTest, FollowsRefreshTokens) {
  Open();
  const auto refresh_token_sent = [&] {
    const std::string& body = requests_.back().body;
    return body.substr(body.find("refresh_token=fake") + 14);
  };
  const auto held = [&] { return test::Revealed(session_->Held()); };
  more_in_token_ = R"(, "refresh_token": "fake-refresh-1")";
  EXPECT_EQ(Token(), "fake-token-1");
  EXPECT_EQ(refresh_token_sent(), "fake-refresh-0");
  EXPECT_THAT(held(), UnorderedElementsAre("fake-client-secret", "fake-refresh-0", "fake-refresh-1",
                                           "fake-token-1"));
  more_in_token_ = "";
  clock_.Advance(seconds(3600));
  EXPECT_EQ(Token(), "fake-token-2");
  EXPECT_EQ(refresh_token_sent(), "fake-refresh-1");
  clock_.Advance(seconds(3600));
  EXPECT_EQ(Token(), "fake-token-3");
  EXPECT_EQ(refresh_token_sent(), "fake-refresh-1");
  // Somebody logged in anew meanwhile.
  WriteFile("fake-refresh-9");
  clock_.Advance(seconds(3600));
  EXPECT_EQ(Token(), "fake-token-4");
  EXPECT_EQ(refresh_token_sent(), "fake-refresh-9");
  EXPECT_THAT(held(), UnorderedElementsAre("fake-client-secret", "fake-refresh-9", "fake-refresh-9",
                                           "fake-token-4"));
}

TEST_F(SessionTest, SaysWhereItLooked) {
  Open();
  const auto named = session_->places();
  ASSERT_EQ(named.size(), 3U);
  EXPECT_EQ(named[0].why_not, "");
  EXPECT_THAT(named[1].why_not,
              testing::AllOf(HasSubstr("not looked at: GOOGLE_APPLICATION_CREDENTIALS comes first"),
                             HasSubstr("credentials.json does not exist")));
  EXPECT_EQ(named[2].why_not, "not looked at: GOOGLE_APPLICATION_CREDENTIALS comes first");
  EXPECT_EQ(session_->Origin(),
            "a workforce user's login by id (GOOGLE_APPLICATION_CREDENTIALS: " + path_ + ")");
  Open({{"GOOGLE_APPLICATION_CREDENTIALS", ""}, {"NO_GCE_CHECK", "true"}});
  const auto places = session_->places();
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ(places[0].why_not, "is not set");
  EXPECT_THAT(places[1].why_not, HasSubstr("application_default_credentials.json does not exist"));
  EXPECT_THAT(places[2].why_not, HasSubstr("NO_GCE_CHECK"));
  const auto token = session_->Token(Soon());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(token.error().reason(),
              testing::AllOf(HasSubstr("GOOGLE_APPLICATION_CREDENTIALS is not set"),
                             HasSubstr("/nonexistent/.config/gcloud"), HasSubstr("NO_GCE_CHECK")));
}

TEST_F(SessionTest, KnowsProjectAndUniverse) {
  WriteFile("fake", R"(, "project_id": "of-file", "universe_domain": "example.goog")");
  Open();
  EXPECT_EQ(session_->Project(Soon())->text, "of-file");
  EXPECT_EQ(session_->Project(Soon())->setting, path_);
  EXPECT_EQ(*session_->Universe(Soon()), "example.goog");
  EXPECT_EQ(session_->Principal(Soon()), "");
  Open({{"GOOGLE_CLOUD_PROJECT", "of-variable"}, {"GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog"}});
  EXPECT_EQ(session_->Project(Soon())->text, "of-variable");
  EXPECT_EQ(*session_->Universe(Soon()), "example.goog");
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(SessionTest, StaysInTheUniverseOfItsCredentials) {
  const auto settings =
      SessionSettings::Load([this](const std::string& name) -> std::optional<std::string_view> {
        if (name == "GOOGLE_APPLICATION_CREDENTIALS") return path_;
        if (name == "GOOGLE_CLOUD_UNIVERSE_DOMAIN") return "example.goog";
        return std::nullopt;
      });
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(settings.error().reason(),
              testing::AllOf(testing::StartsWith("GOOGLE_CLOUD_UNIVERSE_DOMAIN is example.goog"),
                             testing::EndsWith("are of googleapis.com")));
}

// As a machine that the metadata server knows.
class MachineTest : public SessionTest {
 protected:
  void OpenOn(std::map<std::string, std::string> texts,
              std::map<std::string, std::string> given = {}) {
    metadata_.emplace([this, texts = std::move(texts)](const test::LocalRequest& request) {
      const std::lock_guard lock(mutex_);
      ++asked_;
      const std::string root = "/computeMetadata/v1/";
      const auto found = texts.find(request.path.substr(root.size()));
      return found == texts.end()
                 ? test::LocalAnswer{404, "", {{"Metadata-Flavor", "Google"}}}
                 : test::LocalAnswer{200, found->second, {{"Metadata-Flavor", "Google"}}};
    });
    given["GCE_METADATA_HOST"] = metadata_->Url().substr(std::string("http://").size());
    given["GOOGLE_APPLICATION_CREDENTIALS"] = "";
    Open(std::move(given));
  }

  int asked_ = 0;
  std::optional<test::LocalServer> metadata_;
};

TEST_F(MachineTest, TellsWhoItIs) {
  OpenOn({{"project/project-id", "my-project"},
          {"instance/service-accounts/default/email", "a@b.iam.gserviceaccount.com"},
          {"instance/service-accounts/default/scopes", "s1\ns2\n"}});
  EXPECT_EQ(session_->Project(Soon())->text, "my-project");
  EXPECT_EQ(session_->Principal(Soon()), "serviceAccount:a@b.iam.gserviceaccount.com");
  EXPECT_EQ(session_->Scopes(Soon()), "s1 s2");
  EXPECT_EQ(*session_->Universe(Soon()), "googleapis.com");
  const int asked = asked_;
  EXPECT_EQ(session_->Project(Soon())->text, "my-project");
  EXPECT_EQ(session_->Principal(Soon()), "serviceAccount:a@b.iam.gserviceaccount.com");
  EXPECT_EQ(asked_, asked);  // once each
}

// On GKE, where a workload is no service account of Google's.
TEST_F(MachineTest, MayBeNoServiceAccount) {
  OpenOn({{"instance/service-accounts/default/email", "my-project.svc.id.goog"}});
  EXPECT_EQ(session_->Principal(Soon()), "");
}

TEST_F(MachineTest, StaysInItsUniverse) {
  OpenOn({{"universe/universe-domain", "example.goog"}},
         {{"GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog"}});
  EXPECT_EQ(*session_->Universe(Soon()), "example.goog");
  OpenOn({{"universe/universe-domain", "googleapis.com"}},
         {{"GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog"}});
  const auto universe = session_->Universe(Soon());
  ASSERT_FALSE(universe);
  EXPECT_EQ(universe.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(universe.error().reason(), HasSubstr("GOOGLE_CLOUD_UNIVERSE_DOMAIN is example.goog"));
}

TEST_F(SessionTest, RefusesAFileThatBecameOneOfAnotherUniverse) {
  Open();
  EXPECT_EQ(Token(), "fake-token-1");
  WriteFile("fake-refresh-1", R"(, "universe_domain": "example.goog")");
  clock_.Advance(seconds(3601));
  EXPECT_THAT(Token(), HasSubstr("another universe than before"));
}

}  // namespace
}  // namespace qarion::secrets::gcp
