// How many requests a reader makes; client_test.cc has which of both it makes when.
#include "providers/aws_sm/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fakes/local_server.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::aws_sm {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr char kFirst[] = "11111111-2222-4333-8444-555555555555";
constexpr char kSecond[] = "22222222-3333-4444-8555-666666666666";

// Secrets Manager and STS: the latter hands out ASIAFAKE1, ASIAFAKE2 and so on.
class Services {
 public:
  std::string Url() const { return server_.Url(); }
  std::size_t connections() const { return server_.connections(); }

  // "GetSecretValue by AKIDFAKE" of each request since the last call.
  std::vector<std::string> TakeSeen() {
    const std::lock_guard lock(mutex_);
    return std::exchange(seen_, {});
  }

  struct Script {
    std::string current = kFirst;
    std::vector<std::string> ended_keys;
    bool changes_key = true;
    std::string keys_end_at = "2026-01-01T01:00:00Z";  // the clock begins an hour before
    std::function<void()> before_keys = [] {};
  };
  void Set(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }

 private:
  static std::string SignerOf(const test::LocalRequest& request) {
    constexpr std::string_view kBegin = "Credential=";
    const std::string& header = request.headers.at("authorization");
    const std::size_t begin = header.find(kBegin) + kBegin.size();
    return header.substr(begin, header.find('/', begin) - begin);
  }

  test::LocalAnswer Answer(const test::LocalRequest& request) {
    const auto target = request.headers.find("x-amz-target");
    if (target == request.headers.end()) return Keys();
    const std::string action = target->second.substr(target->second.find('.') + 1);
    const std::string signer = SignerOf(request);
    const std::lock_guard lock(mutex_);
    seen_.push_back(action + " by " + signer);
    if (std::ranges::find(script_.ended_keys, signer) != script_.ended_keys.end()) {
      return {400, R"({"__type":"ExpiredTokenException","message":"ended"})"};
    }
    const std::string secret =
        R"({"ARN":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:qarion-AbCdEf",)"
        R"("Name":"qarion",)";
    if (action == "GetSecretValue") {
      return {200, secret + R"("VersionId":")" + script_.current +
                       R"(","SecretString":"{\"SECRET_KEY\":\"fake\"}"})"};
    }
    return {200, secret + R"("VersionIdsToStages":{")" + script_.current + R"(":["AWSCURRENT"]}})"};
  }

  test::LocalAnswer Keys() {
    std::unique_lock lock(mutex_);
    seen_.emplace_back("AssumeRoleWithWebIdentity");
    if (script_.changes_key || keys_ == 0) ++keys_;
    const std::string key = "ASIAFAKE" + std::to_string(keys_);
    const Script script = script_;
    lock.unlock();
    script.before_keys();
    return {200,
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
            "<AccessKeyId>" +
                key +
                "</AccessKeyId><SecretAccessKey>fake-secret</SecretAccessKey>"
                "<SessionToken>fake-token</SessionToken><Expiration>" +
                script.keys_end_at +
                "</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROAFAKE:fake"
                "</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/app/fake</Arn>"
                "</AssumedRoleUser></AssumeRoleWithWebIdentityResult>"
                "</AssumeRoleWithWebIdentityResponse>"};
  }

  std::mutex mutex_;  // of what follows
  Script script_;
  std::vector<std::string> seen_;
  int keys_ = 0;
  test::LocalServer server_{[this](const test::LocalRequest& request) { return Answer(request); }};
};

class RequestsTest : public testing::Test {
 protected:
  void Open(std::map<std::string, std::string> given) {
    given.insert({{"HOME", home_.path()},
                  {"AWS_SECRET_ARN", "qarion"},
                  {"AWS_REGION", "eu-central-1"},
                  {"AWS_EC2_METADATA_DISABLED", "true"},
                  {"AWS_ENDPOINT_URL", services_.Url()}});
    auto settings =
        LoadAwsSmSettings([&given](const std::string& name) -> std::optional<std::string_view> {
          const auto found = given.find(name);
          if (found == given.end()) return std::nullopt;
          return found->second;
        });
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_ = std::make_unique<AwsSmSettings>(std::move(*settings));
    client_ = std::make_unique<Client>(*settings_, clock_, [](std::string_view) {});
  }

  void OpenWithKeys(std::map<std::string, std::string> more = {}) {
    more.insert({{"AWS_ACCESS_KEY_ID", "AKIDFAKE"}, {"AWS_SECRET_ACCESS_KEY", "fake-secret"}});
    Open(std::move(more));
  }

  void OpenWithRole() {
    Open({{"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/app"},
          {"AWS_WEB_IDENTITY_TOKEN_FILE", home_.Write("token", "fake.web.identity")}});
  }

  net::Call Soon() const { return {.deadline = clock_.SteadyNow() + minutes(1)}; }

  // Returns the version that is current, "the same" or the error's reason.
  std::string Fetch(const std::string& known_version) {
    auto payload = client_->Fetch(known_version, Soon());
    if (!payload) return payload.error().reason();
    return payload->not_modified ? "the same" : payload->version;
  }

  test::TemporaryDirectory home_;
  test::FakeClockAhead clock_;
  Services services_;
  std::unique_ptr<AwsSmSettings> settings_;
  std::unique_ptr<Client> client_;
};

TEST_F(RequestsTest, ReadsTheFirstValueWithOneRequest) {
  OpenWithKeys();
  EXPECT_EQ(Fetch(""), kFirst);
  EXPECT_THAT(services_.TakeSeen(), ElementsAre("GetSecretValue by AKIDFAKE"));
}

TEST_F(RequestsTest, ReadsAVersionThatHasBecomeCurrent) {
  OpenWithKeys();
  EXPECT_EQ(Fetch(""), kFirst);
  services_.TakeSeen();
  services_.Set({.current = kSecond});
  EXPECT_EQ(Fetch(kFirst), kSecond);
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("DescribeSecret by AKIDFAKE", "GetSecretValue by AKIDFAKE"));
}

TEST_F(RequestsTest, ReadsTheValueAgainAQuarterOfAnHourAfterTheLastTime) {
  OpenWithKeys();
  EXPECT_EQ(Fetch(""), kFirst);
  for (int quarter = 0; quarter < 2; ++quarter) {
    services_.TakeSeen();
    clock_.fake().Advance(minutes(15) - seconds(1));
    EXPECT_EQ(Fetch(kFirst), "the same");
    clock_.fake().Advance(seconds(1));
    EXPECT_EQ(Fetch(kFirst), kFirst);
    EXPECT_THAT(services_.TakeSeen(),
                ElementsAre("DescribeSecret by AKIDFAKE", "GetSecretValue by AKIDFAKE"));
  }
}

TEST_F(RequestsTest, ReadsTheValueOfAVersionThatIsNamed) {
  OpenWithKeys({{"AWS_SECRET_VERSION_ID", kFirst}});
  EXPECT_EQ(Fetch(""), kFirst);
  EXPECT_EQ(Fetch(kFirst), kFirst);
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("GetSecretValue by AKIDFAKE", "GetSecretValue by AKIDFAKE"));
}

TEST_F(RequestsTest, ReadsOverOneConnection) {
  OpenWithKeys();
  EXPECT_EQ(Fetch(""), kFirst);
  for (int times = 0; times < 20; ++times) EXPECT_EQ(Fetch(kFirst), "the same");
  services_.Set({.current = kSecond});
  EXPECT_EQ(Fetch(kFirst), kSecond);
  EXPECT_EQ(services_.TakeSeen().size(), 23U);
  EXPECT_EQ(services_.connections(), 1U);
}

TEST_F(RequestsTest, KeepsCredentialsAcrossRequests) {
  OpenWithRole();
  EXPECT_EQ(Fetch(""), kFirst);
  EXPECT_EQ(Fetch(kFirst), "the same");
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE1",
                          "DescribeSecret by ASIAFAKE1"));
}

TEST_F(RequestsTest, RenewsCredentialsOnceWhereTheyAreSaidToHaveEnded) {
  services_.Set({.ended_keys = {"ASIAFAKE1"}});
  OpenWithRole();
  EXPECT_EQ(Fetch(""), kFirst);
  EXPECT_EQ(Fetch(kFirst), "the same");
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE1",
                          "AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE2",
                          "DescribeSecret by ASIAFAKE2"));
}

TEST_F(RequestsTest, GivesUpWhereNewCredentialsAreRefusedToo) {
  services_.Set({.ended_keys = {"ASIAFAKE1", "ASIAFAKE2"}});
  OpenWithRole();
  auto payload = client_->Fetch("", Soon());
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(payload.error().reason(), testing::HasSubstr("ExpiredTokenException"));
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE1",
                          "AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE2"));
}

TEST_F(RequestsTest, DoesNotAskAgainWithTheSameCredentials) {
  services_.Set({.ended_keys = {"ASIAFAKE1"}, .changes_key = false});
  OpenWithRole();
  auto payload = client_->Fetch("", Soon());
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(services_.TakeSeen(),
              ElementsAre("AssumeRoleWithWebIdentity", "GetSecretValue by ASIAFAKE1",
                          "AssumeRoleWithWebIdentity"));
}

// The answer comes when each of them waits for it, has asked itself or has gone on.
TEST_F(RequestsTest, AsksOnceForNewCredentialsOfManyThreads) {
  constexpr int kThreads = 8;
  OpenWithRole();
  ASSERT_TRUE(client_->session().GetCredentials(Soon()));
  services_.TakeSeen();
  clock_.fake().Advance(hours(1));
  std::atomic<int> asked = 0;
  std::atomic<int> ended = 0;
  services_.Set({.keys_end_at = "2026-01-01T02:00:00Z", .before_keys = [&] {
                   ++asked;
                   while (asked + ended + static_cast<int>(clock_.fake().waiting()) < kThreads) {
                     std::this_thread::yield();
                   }
                 }});
  std::vector<std::string> keys(kThreads);
  std::vector<std::jthread> threads;
  for (std::string& key : keys) {
    threads.emplace_back([this, &key, &ended] {
      auto credentials = client_->session().GetCredentials(Soon());
      key = credentials ? credentials->keys.access_key_id : credentials.error().reason();
      ++ended;
    });
  }
  threads.clear();
  EXPECT_THAT(keys, testing::Each("ASIAFAKE2"));
  EXPECT_THAT(services_.TakeSeen(), ElementsAre("AssumeRoleWithWebIdentity"));
}

}  // namespace
}  // namespace qarion::secrets::aws_sm
