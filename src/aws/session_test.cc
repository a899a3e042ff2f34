#include "aws/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/aws_source_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::HasSubstr;

constexpr char kExpired[] = R"({"__type":"ExpiredTokenException","message":"ended"})";

std::string Keys(const std::string& section, const std::string& id) {
  return "[" + section + "]\naws_access_key_id = " + id + "\naws_secret_access_key = fake-secret\n";
}

// As containers and instances give credentials.
std::string Document(const std::string& id, const std::string& end) {
  return R"({"Code":"Success","AccessKeyId":")" + id +
         R"(","SecretAccessKey":"fake-secret","Token":"fake-session","Expiration":")" + end + "\"}";
}

class SessionTest : public testing::Test {
 protected:
  SessionTest() { std::filesystem::create_directories(home_.Path(".aws")); }

  void WriteCredentials(const std::string& text) { home_.Write(".aws/credentials", text); }

  void Open(const std::string& endpoint = "http://127.0.0.1:1") {
    given_["HOME"] = home_.path();
    given_.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
    given_["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = endpoint;
    auto settings =
        SessionSettings::Load([this](const std::string& name) -> std::optional<std::string_view> {
          const auto found = given_.find(name);
          if (found == given_.end()) return std::nullopt;
          return found->second;
        });
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_ = std::make_unique<SessionSettings>(std::move(*settings));
    session_ = std::make_unique<Session>(
        *settings_, "eu-central-1", clock_, [](std::string_view) {}, /*is_traced=*/false);
  }

  net::Call Soon() const { return {.deadline = clock_.SteadyNow() + std::chrono::minutes(1)}; }
  Result<ServiceAnswer> Send() {
    return session_->SendSigned({.service = Service::kSecretsManager}, Soon());
  }
  // The key id that a request was signed with.
  static std::string SignerOf(const test::LocalRequest& request) {
    const std::string& header = request.headers.at("authorization");
    const std::size_t begin = header.find("Credential=") + std::string_view("Credential=").size();
    return header.substr(begin, header.find('/', begin) - begin);
  }

  test::TemporaryDirectory home_;
  std::map<std::string, std::string> given_;
  test::SkippingClock clock_;
  std::unique_ptr<SessionSettings> settings_;
  std::unique_ptr<Session> session_;
};

TEST_F(SessionTest, SendsOnceMoreWithNewCredentialsWhereTheOldOnesHaveEnded) {
  WriteCredentials(Keys("default", "AKIDOLD"));
  const test::ScriptedServer server({{400, kExpired}, {200, "{}"}});
  Open(server.Url());
  ASSERT_TRUE(session_->GetCredentials(Soon()));
  WriteCredentials(Keys("default", "AKIDNEW"));
  const auto answer = Send();
  ASSERT_TRUE(answer) << answer.error().reason();
  EXPECT_TRUE(answer->is_ok());
  ASSERT_EQ(server.seen().size(), 2U);
  EXPECT_EQ(SignerOf(server.seen()[0]), "AKIDOLD");
  EXPECT_EQ(SignerOf(server.seen()[1]), "AKIDNEW");
}

TEST_F(SessionTest, DoesNotSendAgainWithTheSameKey) {
  WriteCredentials(Keys("default", "AKIDOLD"));
  const test::ScriptedServer server({{400, kExpired}});
  Open(server.Url());
  const auto answer = Send();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(answer.error().reason(), HasSubstr("have ended (127.0.0.1"));
  EXPECT_EQ(server.seen().size(), 1U);
}

// The file may just be being rewritten, and the config file's keys are somebody else's.
TEST_F(SessionTest, TakesNoOtherIdentityWhereItsOwnHasGone) {
  WriteCredentials(Keys("default", "AKIDOLD"));
  home_.Write(".aws/config", Keys("default", "AKIDOTHER"));
  const test::ScriptedServer server({{400, kExpired}, {200, "{}"}});
  Open(server.Url());
  ASSERT_TRUE(session_->GetCredentials(Soon()));
  WriteCredentials("");
  const auto answer = Send();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().reason(), HasSubstr("shared credentials file"));
  EXPECT_EQ(server.seen().size(), 1U);
}

// The metadata service gives credentials that ended an hour ago, for want of new ones.
class SessionOnAnInstance : public SessionTest {
 protected:
  SessionOnAnInstance() {
    given_["AWS_EC2_METADATA_DISABLED"] = "false";
    given_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = metadata_.Url();
  }

  const std::string document_ = Document("ASIAFAKE", "2025-12-31T23:00:00Z");
  const test::ScriptedServer metadata_{{{200, "fake-metadata-token"},
                                        {200, "my-role"},
                                        {200, document_},
                                        {200, "fake-metadata-token"},
                                        {200, "my-role"},
                                        {200, document_}}};
};

TEST_F(SessionOnAnInstance, WaitsForNewCredentialsWhereTheOldOnesHaveEnded) {
  const test::ScriptedServer server({{400, kExpired}});
  Open(server.Url());
  const auto answer = Send();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().reason(), HasSubstr("instance role my-role"));
  EXPECT_EQ(server.seen().size(), 1U);
  EXPECT_EQ(metadata_.seen().size(), 6U);  // it was asked once more
  EXPECT_TRUE(session_->in_use()->is_prolonged);
}

TEST_F(SessionOnAnInstance, WaitsWhereStsSaysSo) {
  const test::ScriptedServer server(
      {{403, "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"}});
  given_["AWS_ENDPOINT_URL_STS"] = server.Url();
  Open();
  const auto identity = session_->WhoAmI(Soon());
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code(), ErrorCode::kUnavailable);
}

// A key that was taken away is not coming back.
TEST_F(SessionOnAnInstance, DoesNotWaitWhereTheKeyIsNotKnown) {
  const test::ScriptedServer server({{400, R"({"__type":"UnrecognizedClientException"})"}});
  Open(server.Url());
  const auto answer = Send();
  ASSERT_TRUE(answer) << answer.error().reason();
  EXPECT_EQ(answer->error_code, "UnrecognizedClientException");
}

// This machine's says 2026-01-01T00:00:00Z.
class SessionInAContainer : public SessionTest {
 protected:
  SessionInAContainer() { given_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container_.Url("/x"); }

  const test::ScriptedServer container_{{{200, Document("ASIAFAKE", "2026-01-01T01:00:00Z")}}};
};

TEST_F(SessionInAContainer, HoldsTheEndOfCredentialsAgainstTheServicesClock) {
  const test::ScriptedServer server({{200, "{}"}});
  Open(server.Url());
  session_->services().clock().Correct(std::chrono::minutes(-30));
  ASSERT_TRUE(Send());
  EXPECT_EQ(session_->in_use()->left, std::chrono::minutes(90));
  ASSERT_TRUE(Send());
  EXPECT_EQ(container_.seen().size(), 1U);
  session_->services().clock().Correct(std::chrono::minutes(55));
  ASSERT_TRUE(Send());
  EXPECT_EQ(container_.seen().size(), 2U);
}

// Whether it is they or the clock the service knows.
TEST_F(SessionInAContainer, ShowsCredentialsThatSeemToHaveEnded) {
  const test::ScriptedServer server({{200, "{}"}, {400, kExpired}});
  Open(server.Url());
  session_->services().clock().Correct(std::chrono::hours(2));
  ASSERT_TRUE(Send());
  const auto ended = Send();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), ErrorCode::kNotPermitted);
  EXPECT_EQ(container_.seen().size(), 2U);  // once for each
}

}  // namespace
}  // namespace qarion::secrets::aws
