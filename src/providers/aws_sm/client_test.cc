#include "providers/aws_sm/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/client_provider.h"
#include "tests/support/aws_source_base.h"
#include "tests/support/scrubbed.h"

namespace qarion::secrets::aws_sm {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Not;

constexpr char kId[] = "11111111-2222-4333-8444-555555555555";
const std::string kSecret =
    R"({"ARN":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:qarion-AbCdEf",)"
    R"("Name":"qarion",)";
const test::LocalAnswer kValue = {
    200, kSecret + R"("VersionId":")" + kId + R"(","SecretString":"{\"A\":\"fake\"}"})"};
const test::LocalAnswer kDescription = {
    200, kSecret + R"("VersionIdsToStages":{")" + kId + R"(":["AWSCURRENT"]}})"};
const test::LocalAnswer kFailure = {503, "{}"};
const test::LocalAnswer kDenied = {400, R"({"__type":"AccessDeniedException"})"};

class ClientTest : public testing::Test {
 protected:
  void Open(std::vector<test::LocalAnswer> answers,
            const std::map<std::string, std::string>& more = {}) {
    server_ = std::make_unique<test::ScriptedServer>(std::move(answers));
    std::map<std::string, std::string> given = {{"HOME", "/nonexistent"},
                                                {"AWS_ACCESS_KEY_ID", "AKIDFAKE"},
                                                {"AWS_SECRET_ACCESS_KEY", "fake-secret"},
                                                {"AWS_REGION", "eu-central-1"},
                                                {"AWS_SECRET_ARN", "qarion"},
                                                {"AWS_MAX_ATTEMPTS", "1"},
                                                {"AWS_ENDPOINT_URL", server_->Url()}};
    for (const auto& [name, value] : more) given[name] = value;
    auto settings =
        LoadAwsSmSettings([&](const std::string& name) -> std::optional<std::string_view> {
          const auto found = given.find(name);
          if (found == given.end()) return std::nullopt;
          return found->second;
        });
    ASSERT_TRUE(settings) << settings.error().reason();
    provider_ = std::make_unique<ClientProvider<AwsSmSettings, Client>>(
        std::move(*settings), clock_, [](std::string_view) {});
  }

  // "read", "not modified", or the error's code.
  std::string Fetch(const std::string& known_version) {
    auto payload = provider_->Fetch({.fields = fields_,
                                     .known_version = known_version,
                                     .deadline = clock_.SteadyNow() + std::chrono::minutes(1)});
    if (!payload) return std::string(ToString(payload.error().code()));
    return payload->not_modified ? "not modified" : "read";
  }
  // The operations that were asked for.
  std::vector<std::string> Asked() const {
    std::vector<std::string> operations;
    for (const test::LocalRequest& request : server_->seen()) {
      const std::string& target = request.headers.at("x-amz-target");
      operations.push_back(target.substr(target.find('.') + 1));
    }
    return operations;
  }

  test::SkippingClock clock_;
  std::unique_ptr<test::ScriptedServer> server_;
  const FieldSet fields_ = FieldSet::BuiltIn();
  std::unique_ptr<ClientProvider<AwsSmSettings, Client>> provider_;
};

TEST_F(ClientTest, AsksForTheVersionBeforeItReadsAgain) {
  Open({kValue, kDescription});
  EXPECT_EQ(Fetch(""), "read");
  EXPECT_EQ(Fetch(kId), "not modified");
  EXPECT_THAT(Asked(), ElementsAre("GetSecretValue", "DescribeSecret"));
}

// So that the loss of the right to read shows.
TEST_F(ClientTest, ReadsAQuarterOfAnHourAfterItLastDid) {
  Open({kValue, kDenied});
  EXPECT_EQ(Fetch(""), "read");
  clock_.Advance(std::chrono::minutes(15));
  EXPECT_EQ(Fetch(kId), "not_permitted");
  EXPECT_THAT(Asked(), ElementsAre("GetSecretValue", "GetSecretValue"));
}

TEST_F(ClientTest, AsksForNoVersionWhereThatIsDenied) {
  Open({kValue, kDenied, kValue});
  EXPECT_EQ(Fetch(""), "read");
  EXPECT_EQ(Fetch(kId), "read");
  EXPECT_EQ(Fetch(kId), "read");
  EXPECT_THAT(Asked(),
              ElementsAre("GetSecretValue", "DescribeSecret", "GetSecretValue", "GetSecretValue"));
}

TEST_F(ClientTest, TellsOfAFailureUntilAFetchSucceeds) {
  Open({kValue, kFailure, kFailure, kDescription});
  EXPECT_EQ(Fetch(""), "read");
  EXPECT_EQ(Fetch(kId), "unavailable");
  EXPECT_THAT(provider_->Describe(), Contains(Key("last fetch")));
  EXPECT_EQ(Fetch(kId), "not modified");
  EXPECT_THAT(provider_->Describe(), Not(Contains(Key("last fetch"))));
}

// Those of a container, whose token is in a file.
TEST_F(ClientTest, GivesTemporaryCredentialsToTheScrubber) {
  const test::ScriptedServer container(
      {{200, R"({"AccessKeyId":"ASIAFAKE","SecretAccessKey":"fake-temporary-key",)"
             R"("Token":"fake-session-token","Expiration":"2126-01-01T00:00:00Z"})"}});
  const test::TemporaryDirectory directory;
  Open({kValue}, {{"AWS_ACCESS_KEY_ID", ""},
                  {"AWS_SECRET_ACCESS_KEY", ""},
                  {"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.Url("/x")},
                  {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                   directory.Write("token", "other-container-token")}});
  EXPECT_EQ(test::ScrubbedAfterFetch(
                std::move(provider_),
                "fake-temporary-key fake-session-token other-container-token ASIAFAKE"),
            "*** *** *** ASIAFAKE");
}

}  // namespace
}  // namespace qarion::secrets::aws_sm
