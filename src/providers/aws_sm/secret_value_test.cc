// Texts are those of AWS's documentation, and of MiniStack 1.5.33 and moto 5.2.5.
#include "providers/aws_sm/secret_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/json_writer.h"

namespace qarion::secrets::aws_sm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kArn[] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:qarion-AbCdEf";
constexpr char kVersionId[] = "11111111-2222-4333-8444-555555555555";

aws::ServiceAnswer Answer(int status, const std::string& body) {
  return aws::ReadAnswer({.status = status, .body = Secret::CopyOf(body)}, "aws.test", {});
}

std::string Value(const std::string& members) {
  return R"({"ARN":")" + std::string(kArn) + R"(","Name":"qarion","VersionId":")" + kVersionId +
         R"(","VersionStages":["AWSCURRENT"],"CreatedDate":1795445842.5)" +
         (members.empty() ? "" : "," + members) + "}";
}

class SecretValue : public testing::Test {
 protected:
  Result<Payload> Read(int status, const std::string& body) {
    return PayloadFromValue(Answer(status, body), secret_, version_);
  }
  Error Refusal(int status, const std::string& type, const std::string& text) {
    auto payload = Read(status, R"({"__type":")" + type + R"(","Message":")" + text + R"("})");
    EXPECT_FALSE(payload);
    EXPECT_NE(payload.error().cure(), "");
    return payload.error();
  }

  const aws::SecretId secret_ = *aws::ParseSecretId("qarion", "AWS_SECRET_ARN");
  VersionChoice version_;
};

TEST_F(SecretValue, IsReadFromText) {
  auto payload = Read(200, Value(R"("SecretString":"{\"SECRET_KEY\":\"fake\",\"N\":7}")"));
  ASSERT_TRUE(payload) << payload.error().reason();
  EXPECT_EQ(payload->version, kVersionId);
  ASSERT_EQ(payload->fields.size(), 2U);
  EXPECT_EQ(payload->fields[0].name, "SECRET_KEY");
  EXPECT_EQ(payload->fields[0].value.Reveal(), "fake");
  EXPECT_EQ(payload->fields[0].origin, std::string("qarion version ") + kVersionId);
  EXPECT_EQ(payload->fields[1].value.Reveal(), "7");
  EXPECT_EQ(payload->created_at,
            std::chrono::system_clock::time_point(std::chrono::milliseconds(1'795'445'842'500)));
}

// printf '{"A":"fake"}' | base64
TEST_F(SecretValue, IsReadFromBytes) {
  auto payload = Read(200, Value(R"("SecretBinary":"eyJBIjoiZmFrZSJ9")"));
  ASSERT_TRUE(payload) << payload.error().reason();
  ASSERT_EQ(payload->fields.size(), 1U);
  EXPECT_EQ(payload->fields[0].value.Reveal(), "fake");
}

// The agent writes its time as a string.
TEST_F(SecretValue, TakesAnyTime) {
  for (const std::string time :
       {"\"1795445842\"", "\"soon\"", "null", "1795445842", "-1", "1e10", "1e99"}) {
    auto payload = Read(200, R"({"ARN":")" + std::string(kArn) +
                                 R"(","Name":"qarion","VersionId":"v","CreatedDate":)" + time +
                                 R"(,"SecretString":"{}"})");
    ASSERT_TRUE(payload) << time;
    EXPECT_EQ(payload->created_at.has_value(), time.find("17954") != std::string::npos) << time;
  }
}

TEST_F(SecretValue, MustBeOneJsonObject) {
  for (const std::string members :
       {"", R"("SecretString":null)", R"("SecretString":"fake")", R"("SecretString":"[]")",
        R"("SecretString":"")", R"("SecretBinary":"%%%")", R"("SecretBinary":"ZmFrZQ==")",
        R"("SecretString":"{}","SecretBinary":"e30=")"}) {
    auto payload = Read(200, Value(members));
    ASSERT_FALSE(payload) << members;
    EXPECT_EQ(payload.error().code(), ErrorCode::kBadData) << members;
    EXPECT_THAT(payload.error().reason(), Not(HasSubstr("fake")));
  }
}

TEST_F(SecretValue, MustBeWhatWasAskedFor) {
  const std::string rest = R"(,"VersionId":"v","SecretString":"{}"})";
  for (
      const std::string& body :
      {R"({"ARN":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:other-AbCdEf","Name":"other")" +
           rest,
       R"({"Name":"qarion")" + rest, R"({"ARN":"x","Name":"qarion")" + rest, std::string("{}")}) {
    auto payload = Read(200, body);
    ASSERT_FALSE(payload) << body;
    EXPECT_EQ(payload.error().code(), ErrorCode::kBadData) << body;
  }
  for (const char* const body : {"<html>", ""}) {  // of something before the service
    auto payload = Read(200, body);
    ASSERT_FALSE(payload) << body;
    EXPECT_EQ(payload.error().code(), ErrorCode::kUnavailable) << body;
  }
  version_.id = "99999999-2222-4333-8444-555555555555";
  auto other = Read(200, Value(R"("SecretString":"{}")"));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().reason(), HasSubstr("AWS_SECRET_VERSION_ID"));
}

TEST_F(SecretValue, MustBeAtTheStageThatIsAskedFor) {
  version_.stage = "AWSPREVIOUS";
  auto payload = Read(200, Value(R"("SecretString":"{}")"));
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(payload.error().reason(), HasSubstr("AWS_SECRET_VERSION_STAGE"));
  version_.stage = "AWSCURRENT";
  EXPECT_TRUE(Read(200, Value(R"("SecretString":"{}")")));
}

TEST_F(SecretValue, IsMissing) {
  const std::string none = "Secrets Manager can't find the specified secret.";
  const Error error = Refusal(400, "ResourceNotFoundException", none);
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(error.reason(), "qarion does not exist at aws.test");
  EXPECT_THAT(error.cure(), HasSubstr("AWS_REGION"));

  const std::string no_value =
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
  EXPECT_EQ(Refusal(404, "ResourceNotFoundException", no_value).reason(),
            "qarion has no value yet");

  version_.stage = "BLUE";
  EXPECT_THAT(
      Refusal(400, "ResourceNotFoundException",
              "Secrets Manager can't find the specified secret value for staging label: BLUE")
          .reason(),
      HasSubstr("has no stage BLUE"));
  EXPECT_EQ(Refusal(400, "ResourceNotFoundException", none).reason(),
            "qarion does not exist at aws.test");
}

TEST_F(SecretValue, IsDeleted) {
  for (const std::string text :
       {"You can't perform this operation on the secret because it was marked for deletion.",
        "An error occurred because the secret is currently marked deleted."}) {
    const Error error = Refusal(400, "InvalidRequestException", text);
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_EQ(error.reason(), "qarion is marked for deletion");
    EXPECT_THAT(error.cure(), HasSubstr("restore-secret"));
  }
}

TEST_F(SecretValue, IsNotPermitted) {
  const Error error =
      Refusal(400, "AccessDeniedException",
              "User: arn:aws:iam::123456789012:user/app is not authorized to perform: "
              "secretsmanager:GetSecretValue on resource: qarion because no identity-based policy "
              "allows the secretsmanager:GetSecretValue action");
  EXPECT_EQ(error.code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(error.reason(), HasSubstr("for want of secretsmanager:GetSecretValue"));
  EXPECT_THAT(error.reason(), HasSubstr("user/app"));

  const Error kms = Refusal(400, "AccessDeniedException", "Access to KMS is not allowed");
  EXPECT_THAT(kms.reason(), HasSubstr("for want of kms:Decrypt"));
  EXPECT_THAT(kms.cure(), HasSubstr("kms:Decrypt"));

  const Error key = Refusal(
      400, "DecryptionFailure",
      "Secrets Manager can't decrypt the protected secret text using the provided KMS key.");
  EXPECT_EQ(key.code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(key.reason(), HasSubstr("cannot be decrypted"));
}

TEST_F(SecretValue, IsAskedForByWhatIsGiven) {
  const auto text = [&] {
    std::string body(ValueRequest(secret_, version_).body.Reveal());
    std::erase_if(body, [](char c) { return c == ' ' || c == '\n'; });
    return body;
  };
  EXPECT_EQ(text(), R"({"SecretId":"qarion"})");
  version_ = {.id = kVersionId, .stage = "AWSPREVIOUS"};
  EXPECT_EQ(text(), R"({"SecretId":"qarion","VersionId":")" + std::string(kVersionId) +
                        R"(","VersionStage":"AWSPREVIOUS"})");
}

TEST_F(SecretValue, IsDescribed) {
  // moto writes what there is not as null.
  const auto description = DescriptionFrom(
      Answer(200, R"({"ARN":")" + std::string(kArn) +
                      R"(","Name":"qarion","DeletedDate":null,"KmsKeyId":"alias/k",)"
                      R"("PrimaryRegion":"us-east-1","VersionIdsToStages":{"v1":["AWSPREVIOUS"],)"
                      R"("v2":["AWSCURRENT","BLUE"]}})"),
      secret_);
  ASSERT_TRUE(description);
  EXPECT_EQ(description->VersionAt("AWSCURRENT"), "v2");
  EXPECT_EQ(description->VersionAt("AWSPENDING"), "");
  EXPECT_THAT(description->Stages(), ElementsAre("AWSCURRENT", "AWSPREVIOUS", "BLUE"));
  EXPECT_FALSE(description->is_deleted);
  EXPECT_EQ(description->kms_key, "alias/k");
  EXPECT_EQ(description->primary_region, "us-east-1");

  const auto deleted = DescriptionFrom(
      Answer(200, R"({"ARN":")" + std::string(kArn) + R"(","Name":"qarion","DeletedDate":1.5})"),
      secret_);
  ASSERT_TRUE(deleted);
  EXPECT_TRUE(deleted->is_deleted);
  EXPECT_FALSE(DescriptionFrom(Answer(400, R"({"ARN":"x","Name":"qarion"})"), secret_));
  EXPECT_FALSE(DescriptionFrom(Answer(200, "{}"), secret_));
}

}  // namespace
}  // namespace qarion::secrets::aws_sm
