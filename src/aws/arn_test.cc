#include "aws/arn.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::aws {
namespace {

constexpr char kSetting[] = "AWS_SECRET_ARN";
constexpr char kPartial[] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/prod";
constexpr char kWhole[] = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/prod-AbC1x2";

std::string ReasonWhyNot(std::string_view text) {
  const auto id = ParseSecretId(text, kSetting);
  if (id) return "";
  EXPECT_EQ(id.error().code(), ErrorCode::kConfiguration);
  EXPECT_FALSE(id.error().cure().empty());
  return id.error().reason();
}

TEST(ArnTest, HasSixParts) {
  const auto arn = ParseArn("arn:aws-cn:iam::123456789012:role/a:b", "role_arn");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->partition, "aws-cn");
  EXPECT_EQ(arn->service, "iam");
  EXPECT_EQ(arn->region, "");
  EXPECT_EQ(arn->account, "123456789012");
  EXPECT_EQ(arn->resource, "role/a:b");
}

TEST(ArnTest, NamesTheSettingAndThePartThatIsWrong) {
  struct Case {
    std::string text;
    std::string part;
  };
  const std::vector<Case> cases = {{"", "six parts"},
                                   {"arn:aws:iam::1", "six parts"},
                                   {"urn:aws:iam::1:x", "six parts"},
                                   {"arn::iam::1:x", "second part"},
                                   {"arn:AWS:iam::1:x", "second part"},
                                   {"arn:aws:::1:x", "third part"},
                                   {"arn:aws:i am::1:x", "third part"},
                                   {"arn:aws:iam:eu.1:1:x", "fourth part"},
                                   {"arn:aws:iam::1 2:x", "fifth part"},
                                   {"arn:aws:iam::1:", "sixth part"}};
  for (const Case& one : cases) {
    const auto arn = ParseArn(one.text, "role_arn");
    ASSERT_FALSE(arn) << one.text;
    EXPECT_TRUE(arn.error().reason().starts_with("role_arn ")) << arn.error().reason();
    EXPECT_NE(arn.error().reason().find(one.part), std::string::npos) << arn.error().reason();
  }
}

TEST(SecretIdTest, IsAnArnWithOrWithoutRandomCharacters) {
  for (const char* text : {kWhole, kPartial}) {
    const auto id = ParseSecretId(text, kSetting);
    ASSERT_TRUE(id);
    EXPECT_EQ(id->text, text);
    EXPECT_EQ(id->region, "eu-central-1");
    EXPECT_EQ(id->account, "123456789012");
    EXPECT_TRUE(id->name.starts_with("app/prod"));
  }
}

TEST(SecretIdTest, IsAName) {
  // AWS: "ASCII letters, numbers, and the following characters: /_+=.@-"; services name theirs with
  // !.
  for (const char* text : {"app", "app/prod", "a_b+c=d.e@f-g", "rds!cluster-1", "-", "arn"}) {
    const auto id = ParseSecretId(text, kSetting);
    ASSERT_TRUE(id) << text;
    EXPECT_EQ(id->name, text);
    EXPECT_EQ(id->region, "");
    EXPECT_EQ(id->account, "");
  }
}

TEST(SecretIdTest, IsAtMost2048BytesLong) {
  EXPECT_EQ(ReasonWhyNot(std::string(2048, 'a')), "");
  EXPECT_EQ(ReasonWhyNot(std::string(2049, 'a')), "AWS_SECRET_ARN is longer than 2048 bytes");
}

TEST(SecretIdTest, HasNoWhiteSpaceAroundIt) {
  for (const std::string text : {" app", "app\n", "\tapp", "app\r"}) {
    EXPECT_EQ(ReasonWhyNot(text), "AWS_SECRET_ARN has white space before or after it");
  }
}

TEST(SecretIdTest, IsRefusedWithThePartThatIsWrong) {
  struct Case {
    std::string text;
    std::string part;
  };
  const std::string head = "arn:aws:secretsmanager:eu-central-1:123456789012:";
  const std::vector<Case> cases = {
      {"", "is empty"},
      {"a b", "character"},
      {"a:b", "character"},
      {"caf\xc3\xa9", "character"},
      {"a*", "character"},
      {"arn:", "six parts"},
      {"arn:aws:secretsmanager:eu-central-1", "six parts"},
      {"arn::secretsmanager:eu-central-1:123456789012:secret:a", "partition"},
      {"arn:azure:secretsmanager:eu-central-1:123456789012:secret:a", "partition"},
      {"arn:aws:ssm:eu-central-1:123456789012:parameter/a", "service ssm"},
      {"arn:aws::eu-central-1:123456789012:secret:a", "third part"},
      {"arn:aws:secretsmanager::123456789012:secret:a", "region"},
      {"arn:aws:secretsmanager:eu central:123456789012:secret:a", "region"},
      {"arn:aws:secretsmanager:eu-central-1::secret:a", "account"},
      {"arn:aws:secretsmanager:eu-central-1:12345678901:secret:a", "account"},
      {"arn:aws:secretsmanager:eu-central-1:1234567890123:secret:a", "account"},
      {"arn:aws:secretsmanager:eu-central-1:12345678901x:secret:a", "account"},
      {head, "sixth part"},
      {head + "secret", "other than a secret"},
      {head + "policy:a", "other than a secret"},
      {head + "secret:", "no secret's name"},
      {head + "secret:a b", "no secret's name"},
      {head + "secret:a-AbC1x2:key::", "behind the secret's name"}};
  for (const Case& one : cases) {
    const std::string reason = ReasonWhyNot(one.text);
    EXPECT_TRUE(reason.starts_with("AWS_SECRET_ARN ")) << one.text;
    EXPECT_NE(reason.find(one.part), std::string::npos) << one.text << ": " << reason;
  }
}

TEST(SecretIdTest, IsNotRepeatedInErrors) {
  EXPECT_EQ(ReasonWhyNot("hunter2 with blanks").find("hunter2"), std::string::npos);
}

SecretId Id(std::string_view text) { return ParseSecretId(text, kSetting).value(); }

TEST(AnswerTest, ToAWholeArnHasThatArn) {
  EXPECT_TRUE(IsAnswerTo(Id(kWhole), kWhole, "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id(kWhole), std::string(kPartial) + "-AbC1x3", "app/prod"));
}

TEST(AnswerTest, ToAPartialArnAddsSixCharacters) {
  EXPECT_TRUE(IsAnswerTo(Id(kPartial), kWhole, "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id(kPartial), kPartial, "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id(kPartial), std::string(kPartial) + "2-AbC1x2", "app/prod2"));
  EXPECT_FALSE(IsAnswerTo(Id(kPartial), std::string(kPartial) + "-AbC1x2y", "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id(kPartial), std::string(kPartial) + "-AbC/x2", "app/prod"));
}

TEST(AnswerTest, ToANameHasThatNameAndItsArn) {
  EXPECT_TRUE(IsAnswerTo(Id("app/prod"), kWhole, "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id("app/prod"), kWhole, "app/prod2"));
  EXPECT_FALSE(IsAnswerTo(Id("app/prod2"), kWhole, "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id("app/prod-AbC1x2"), kWhole, "app/prod"));
}

TEST(AnswerTest, MayTakeAnAmbiguousArnEitherWay) {
  const std::string ambiguous =
      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-backup";
  EXPECT_TRUE(IsAnswerTo(Id(ambiguous), ambiguous, "app"));
  EXPECT_TRUE(IsAnswerTo(Id(ambiguous), ambiguous + "-AbC1x2", "app-backup"));
}

TEST(AnswerTest, IsOfTheRegionAndAccountThatWereAsked) {
  EXPECT_FALSE(IsAnswerTo(Id(kWhole),
                          "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/prod-AbC1x2",
                          "app/prod"));
  EXPECT_FALSE(IsAnswerTo(Id(kPartial),
                          "arn:aws:secretsmanager:eu-central-1:210987654321:secret:app/prod-AbC1x2",
                          "app/prod"));
}

TEST(AnswerTest, NeedsBothArnAndNameAndThatTheyAgree) {
  EXPECT_FALSE(IsAnswerTo(Id(kWhole), kWhole, ""));
  EXPECT_FALSE(IsAnswerTo(Id(kWhole), kWhole, "other"));
  EXPECT_FALSE(IsAnswerTo(Id("app/prod"), "", "app/prod"));
  EXPECT_FALSE(
      IsAnswerTo(Id("app/prod"), "arn:aws:ssm:eu-central-1:1:secret:app/prod-AbC1x2", "app/prod"));
}

TEST(RegionNameTest, IsALabelOfAHost) {
  // botocore.utils.validate_region_name, not empty, and in lower case: what boto3 signs otherwise,
  // AWS refuses.
  for (const std::string& text :
       std::vector<std::string>{"eu-central-1", "local", "1a", std::string(63, 'a')}) {
    EXPECT_TRUE(IsRegionName(text)) << text;
  }
  for (const std::string text :
       {"", "US-EAST-1", "123", "-a", "a-", "a.b", "a b", "a_b", "a/", "a\n", "a@b"}) {
    EXPECT_FALSE(IsRegionName(text)) << text;
  }
  EXPECT_FALSE(IsRegionName(std::string(64, 'a')));
}

}  // namespace
}  // namespace qarion::secrets::aws
