#include "gcp/metadata_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/fakes/local_server.h"
#include "tests/support/empty_network.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/skipping_clock.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::map<std::string, std::string> kFlavour = {{"Metadata-Flavor", "Google"}};

class MetadataServerTest : public testing::Test {
 protected:
  // Answers with these in turn, the last again and again.
  void Answers(std::vector<test::LocalAnswer> answers) {
    answers_ = std::move(answers);
    server_.emplace([this](const test::LocalRequest& request) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(request.method + " " + request.path + " " +
                       (request.headers.contains("metadata-flavor")
                            ? request.headers.at("metadata-flavor")
                            : ""));
      return answers_[std::min(lines_.size(), answers_.size()) - 1];
    });
    settings_.metadata.host = {server_->Url(), "GCE_METADATA_HOST"};
  }

  MetadataServer Server() {
    return MetadataServer({.settings = settings_,
                           .services = client_,
                           .metadata = client_,
                           .clock = clock_,
                           .random = random_,
                           .budget = budget_,
                           .held = held_},
                          directory_.Path("product_name"));
  }
  net::Call Soon() { return {.deadline = clock_.SteadyNow() + seconds(60)}; }

  ClientSettings settings_;
  test::SkippingClock clock_;
  test::FixedRandom random_{0};
  net::RetryBudget budget_;
  core::HeldSecrets held_;
  net::HttpClient client_{net::MetadataServiceOptions(nullptr)};
  const test::TemporaryDirectory directory_;
  std::mutex mutex_;
  std::vector<test::LocalAnswer> answers_;
  std::vector<std::string> lines_;
  std::optional<test::LocalServer> server_;
};

// https://cloud.google.com/compute/docs/metadata/querying-metadata
TEST_F(MetadataServerTest, IsAskedWithTheHeaderThatItWants) {
  Answers({{200, "my-project", kFlavour}});
  MetadataServer server = Server();
  EXPECT_EQ(*server.GetText("project/project-id", Soon()), "my-project");
  EXPECT_THAT(lines_, ElementsAre("GET /computeMetadata/v1/project/project-id Google"));
}

TEST_F(MetadataServerTest, IsAtItsAddressUnlessAVariableSaysAnother) {
  EXPECT_EQ(Server().address(), "http://169.254.169.254");
  settings_.metadata.host = {"http://metadata", "GCE_METADATA_HOST"};
  EXPECT_EQ(Server().address(), "http://metadata");
}

TEST_F(MetadataServerTest, IsNotAskedWhereThereIsNone) {
  Answers({{200, "my-project", kFlavour}});
  settings_.metadata.is_disabled = true;
  const auto text = Server().GetText("project/project-id", Soon());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(text.error().reason(), HasSubstr("NO_GCE_CHECK"));
  EXPECT_TRUE(lines_.empty());
}

TEST_F(MetadataServerTest, SaysWhoItIs) {
  for (const auto& headers : {std::map<std::string, std::string>(),
                              std::map<std::string, std::string>{{"Metadata-Flavor", "Other"}}}) {
    Answers({{200, "fake-of-others", headers}});
    const auto text = Server().Get("project/project-id", Soon());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(text.error().reason(), HasSubstr("is not Google's metadata server"));
    EXPECT_THAT(text.error().reason(), testing::Not(HasSubstr("fake")));
    EXPECT_EQ(lines_.size(), 1U);
    lines_.clear();
  }
}

TEST_F(MetadataServerTest, MayBeHiddenForAMoment) {
  Answers({{503, "<html>", {}}});
  auto text = Server().Get("project/project-id", Soon());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(lines_.size(), 5U);
  lines_.clear();
  // Also by what no such server says, once it was there.
  Answers({{200, "my-project", kFlavour}, {200, "<html>", {}}});
  MetadataServer server = Server();
  ASSERT_TRUE(server.Get("project/project-id", Soon()));
  text = server.Get("project/project-id", Soon());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kUnavailable);
}

TEST_F(MetadataServerTest, IsGivenTimeToBegin) {
  for (const int status : {408, 429, 500, 503, 504}) {
    Answers({{status, "", kFlavour}, {status, "", kFlavour}, {200, "my-project", kFlavour}});
    EXPECT_EQ(*Server().GetText("project/project-id", Soon()), "my-project") << status;
    EXPECT_EQ(lines_.size(), 3U);
    lines_.clear();
  }
  // By chance the least that is allowed: half of 0.5 s, and of twice as much.
  EXPECT_THAT(std::vector(clock_.pauses().begin(), clock_.pauses().begin() + 2),
              ElementsAre(milliseconds(250), milliseconds(500)));
}

TEST_F(MetadataServerTest, FailsForAMomentAfterFiveAttempts) {
  Answers({{503, "", kFlavour}});
  const auto text = Server().Get("project/project-id", Soon());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(text.error().reason(), HasSubstr("answers 503 to project/project-id"));
  EXPECT_EQ(lines_.size(), 5U);
}

TEST_F(MetadataServerTest, MayHaveNothing) {
  Answers({{404, "", kFlavour}});
  EXPECT_EQ(*Server().GetText("universe/universe-domain", Soon()), "");
  const auto token = Server().Get("instance/service-accounts/default/token?scopes=x", Soon());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(token.error().reason(),
              testing::EndsWith("answers 404 to instance/service-accounts/default/token"));
  EXPECT_THAT(token.error().cure(), HasSubstr("attach a service account"));
  EXPECT_EQ(lines_.size(), 2U);  // nothing to wait for
}

TEST_F(MetadataServerTest, ThatHangsCostsItsTimeoutEachTime) {
  const test::FaultServer hanging({"hang"});
  settings_.metadata.host = {"http://127.0.0.1:" + hanging.port(), "GCE_METADATA_HOST"};
  settings_.metadata.timeout = milliseconds(200);
  settings_.metadata.attempts = 2;
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = Server().Get("project/project-id", Soon());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().reason(), HasSubstr("timed out"));
  EXPECT_EQ(clock_.pauses().size(), 1U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(400));
}

TEST_F(MetadataServerTest, ThatIsNamedIsAwaited) {
  settings_.metadata.host = {"http://127.0.0.1:1", "GCE_METADATA_HOST"};
  const auto answer = Server().Get("project/project-id", Soon());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(clock_.pauses(), ElementsAre(milliseconds(250), milliseconds(500), milliseconds(1000),
                                           milliseconds(2000)));
}

// What comes of asking at the usual address in a network where nobody answers, in a process of its
// own: the status that it exits with.
enum Outcome { kRight = 0, kWrong = 1, kNotPermitted = 77 };

void AskNobody(const std::string& product, seconds time, ErrorCode wanted, std::size_t pauses) {
  if (!test::EnterEmptyNetwork()) _exit(kNotPermitted);
  const test::TemporaryDirectory directory;
  directory.Write("product_name", product);
  const ClientSettings settings;
  test::SkippingClock clock;
  test::FixedRandom random{0};
  net::RetryBudget budget;
  core::HeldSecrets held;
  net::HttpClient client{net::MetadataServiceOptions(nullptr)};
  MetadataServer server({.settings = settings,
                         .services = client,
                         .metadata = client,
                         .clock = clock,
                         .random = random,
                         .budget = budget,
                         .held = held},
                        directory.Path("product_name"));
  const auto answer = server.Get("project/project-id", {.deadline = clock.SteadyNow() + time});
  const bool is_right =
      !answer && answer.error().code() == wanted && clock.pauses().size() == pauses;
  std::filesystem::remove_all(directory.path());
  _exit(is_right ? kRight : kWrong);
}

void ExpectFromNobody(const std::string& product, seconds time, ErrorCode wanted,
                      std::size_t pauses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  static int status;
  EXPECT_EXIT(
      AskNobody(product, time, wanted, pauses),
      [](int ended) {
        status = WIFEXITED(ended) ? WEXITSTATUS(ended) : kWrong;
        return status != kWrong;
      },
      "");
  if (status == kNotPermitted) GTEST_SKIP() << "this machine permits no network namespace";
}

TEST(MetadataServerDeathTest, IsAwaitedWhereTheFirmwareSaysGoogle) {
  ExpectFromNobody("Google Compute Engine\n", seconds(60), ErrorCode::kUnavailable, 4);
}

TEST(MetadataServerDeathTest, IsNotAwaitedElsewhere) {
  ExpectFromNobody("Standard PC\n", seconds(60), ErrorCode::kConfiguration, 0);
}

TEST(MetadataServerDeathTest, IsNotKnownToBeAbsentWhereNoTimeIsLeft) {
  ExpectFromNobody("Standard PC\n", seconds(0), ErrorCode::kUnavailable, 0);
}

}  // namespace
}  // namespace qarion::secrets::gcp
