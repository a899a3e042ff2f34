// Signatures are those that botocore 1.44.5 makes (SigV4Auth) of the request that hvac 2.4.0 sends.
#include "providers/vault/aws_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "core/json_document.h"
#include "crypto/base64.h"
#include "tests/support/given_settings.h"
#include "tests/support/parsed_json.h"
#include "tests/support/session_test_base.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::ParsedJson;
using testing::HasSubstr;
using testing::Not;

// 2026-01-02T03:04:05Z
constexpr std::chrono::sys_seconds kTime{std::chrono::seconds(1'767'323'045)};

// The published example key of AWS.
crypto::SigningCredentials Keys(const std::string& token) {
  return {.access_key_id = "AKIDEXAMPLE",
          .secret_access_key = Secret::CopyOf("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
          .session_token = Secret::CopyOf(token)};
}

std::string Decoded(const core::JsonDocument& json, std::string_view name) {
  const auto bytes = crypto::DecodeBase64(json[name].Text().value_or("!"));
  return bytes ? std::string(bytes->Reveal()) : "not base64";
}

const test::Given kAws = {{"VAULT_AUTH_METHOD", "aws"},
                          {"VAULT_ADDR", "https://vault.test"},
                          {"HOME", "/nonexistent"},
                          {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                          {"AWS_SECRET_ACCESS_KEY", "fake-secret-access-key"},
                          {"AWS_SESSION_TOKEN", "fake-session-token"}};

class AwsLoginBodyTest : public testing::Test {
 protected:
  // The headers of the request inside the body, and the rest of it checked.
  core::JsonDocument Headers(const test::Given& more, const std::string& token,
                             const std::string& url) {
    auto settings = test::Load(test::With(kAws, more));
    EXPECT_TRUE(settings) << settings.error().reason();
    auto body = AwsLoginBody(settings->auth, Keys(token), kTime);
    EXPECT_TRUE(body) << body.error().reason();
    const auto json = ParsedJson(body->Reveal());
    EXPECT_EQ(json["iam_http_request_method"].Text(), "POST");
    EXPECT_EQ(Decoded(json, "iam_request_url"), url);
    EXPECT_EQ(Decoded(json, "iam_request_body"), "Action=GetCallerIdentity&Version=2011-06-15");
    role_ = json["role"].Text().value_or("none");
    return ParsedJson(Decoded(json, "iam_request_headers"));
  }

  std::string role_;
};

TEST_F(AwsLoginBodyTest, IsSignedForTheGlobalEndpoint) {
  const auto headers = Headers({}, "", "https://sts.amazonaws.com/");
  EXPECT_EQ(role_, "none");
  EXPECT_EQ(headers["Host"].Text(), "sts.amazonaws.com");
  EXPECT_EQ(headers["Content-Length"].Text(), "43");
  EXPECT_EQ(headers["Content-Type"].Text(), "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(headers["X-Amz-Date"].Text(), "20260102T030405Z");
  EXPECT_FALSE(headers["X-Amz-Security-Token"].exists());
  EXPECT_EQ(headers["Authorization"].Text(),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sts/aws4_request, "
            "SignedHeaders=content-length;content-type;host;x-amz-date, "
            "Signature=62efac306ff00dff2e3997144030ccb25c90c53e248521ad667679cadb486ac9");
}

TEST_F(AwsLoginBodyTest, SignsTheNameOfTheServerToo) {
  const auto headers =
      Headers({{"VAULT_AWS_IAM_SERVER_ID", "vault.example.com"}, {"VAULT_AUTH_ROLE", "app"}},
              "AQoDYXdzEJr//+tok==", "https://sts.amazonaws.com/");
  EXPECT_EQ(role_, "app");
  EXPECT_EQ(headers["X-Vault-AWS-IAM-Server-ID"].Text(), "vault.example.com");
  EXPECT_EQ(headers["X-Amz-Security-Token"].Text(), "AQoDYXdzEJr//+tok==");
  EXPECT_THAT(std::string(*headers["Authorization"].Text()),
              HasSubstr("x-amz-security-token;x-vault-aws-iam-server-id, Signature="
                        "c9e91160a4157fd728c02a3a9ad3bea082742642ba96085ebdd8d5dd72c81187"));
}

TEST_F(AwsLoginBodyTest, IsForARegionWhereTheServerAsksThere) {
  const auto headers = Headers(
      {{"VAULT_AWS_IAM_SERVER_ID", "vault.example.com"}, {"VAULT_AWS_STS_REGION", "eu-central-1"}},
      "AQoDYXdzEJr//+tok==", "https://sts.eu-central-1.amazonaws.com/");
  EXPECT_EQ(headers["Host"].Text(), "sts.eu-central-1.amazonaws.com");
  EXPECT_THAT(std::string(*headers["Authorization"].Text()),
              HasSubstr("d87537f0af365517e924792e2814e177fa1ea2990f0da99000c86f1c2335f87e"));
}

TEST(AwsLoginSettings, NameWhatIsWrong) {
  const auto refused = [](const test::Given& more, const std::string& named) {
    auto settings = test::Load(test::With(kAws, more));
    ASSERT_FALSE(settings) << named;
    EXPECT_THAT(settings.error().reason(), HasSubstr(named));
    EXPECT_THAT(test::TextOf(settings.error()), Not(HasSubstr("fake")));
  };
  refused({{"AWS_PROFILE", "absent"}}, "AWS_PROFILE");
  refused({{"VAULT_ROLE_ID", "x"}}, "VAULT_ROLE_ID");
  refused(
      {{"VAULT_AUTH_METHOD", "approle"}, {"VAULT_ROLE_ID", "x"}, {"VAULT_AWS_IAM_SERVER_ID", "x"}},
      "VAULT_AWS_IAM_SERVER_ID");
}

// The keys are not fields and must not be seen either.
TEST(AwsLoginSettings, GiveTheirKeysToTheScrubber) {
  auto settings = test::Load(kAws);
  ASSERT_TRUE(settings) << settings.error().reason();
  std::vector<std::string> credentials;
  for (const Secret& credential : settings->Credentials()) {
    credentials.emplace_back(credential.Reveal());
  }
  EXPECT_THAT(credentials, testing::IsSupersetOf({"fake-secret-access-key", "fake-session-token"}));
}

class AwsLoginSession : public test::SessionTestBase {};

TEST_F(AwsLoginSession, BringsAToken) {
  Begin({{"login", {Grant("fake-1", 1200)}}}, 0, kAws);
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_THAT(Seen().back().body, HasSubstr("iam_request_headers"));
}

// The server may quote what STS says of the signature: keys, tokens.
TEST_F(AwsLoginSession, ShowsNothingThatAnAnswerQuotes) {
  Begin({{"login",
          {test::LocalAnswer{400, R"({"errors":["POST x-amz-security-token:fake-session-token )"
                                  R"(fake-secret-access-key"]})"}}}},
        0, kAws);
  auto token = session_->Token(Soon());
  ASSERT_FALSE(token);
  EXPECT_THAT(test::TextOf(token.error()), HasSubstr("POST x-amz-security-token:*** ***"));
}

// A second look at the same credentials would be refused again, though its time is another.
TEST_F(AwsLoginSession, IsNotRepeatedAtOnceAfterARefusal) {
  Begin({{"login", {Refusal(400)}}}, 0, kAws);
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 1);
}

TEST_F(AwsLoginSession, ReadsItsKeysAnewAfterARefusal) {
  const test::TemporaryDirectory home;
  std::filesystem::create_directories(home.Path(".aws"));
  const auto write = [&](const std::string& id) {
    home.Write(".aws/credentials", "[default]\naws_access_key_id = " + id +
                                       "\naws_secret_access_key = fake-secret-of-" + id + "\n");
  };
  write("AKIDOLD");
  Begin({{"login", {Refusal(400), Grant("fake-1", 1200)}}}, 0,
        {{"VAULT_AUTH_METHOD", "aws"}, {"HOME", home.path()}});
  EXPECT_EQ(Token(), "not_permitted");
  write("AKIDNEW");
  Turn(std::chrono::hours(1));
  EXPECT_EQ(Token(), "fake-1");
  const auto headers = Decoded(ParsedJson(Seen().back().body), "iam_request_headers");
  EXPECT_THAT(headers, HasSubstr("Credential=AKIDNEW/"));
  EXPECT_THAT(Held(), testing::IsSupersetOf({"fake-secret-of-AKIDNEW", "fake-1"}));
}

}  // namespace
}  // namespace qarion::secrets::vault
