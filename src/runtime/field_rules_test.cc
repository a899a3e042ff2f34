#include "runtime/field_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace qarion::secrets::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using std::string_view_literals::operator""sv;

std::vector<Finding> Check(std::vector<std::pair<std::string, std::string>> values) {
  Snapshot::Contents contents;
  for (auto& [name, value] : values) {
    contents.fields.push_back({name, Secret::CopyOf(value), "test"});
  }
  auto findings = CheckFields(Snapshot(std::move(contents)));
  for (const Finding& finding : findings) {
    for (const auto& [name, value] : values) {
      if (value.size() < 8) continue;  // may be a part of a word
      EXPECT_THAT(finding.subject + finding.problem + finding.cure, Not(HasSubstr(value)));
    }
    EXPECT_FALSE(finding.cure.empty());
  }
  return findings;
}

// "error: problem" of each finding.
std::vector<std::string> Problems(std::vector<std::pair<std::string, std::string>> values) {
  std::vector<std::string> problems;
  for (const Finding& finding : Check(std::move(values))) {
    problems.push_back((finding.severity == Severity::kError ? "error: " : "warning: ") +
                       finding.problem);
  }
  return problems;
}

constexpr char kFernetKey[] = "ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLi4=";
constexpr char kGoodKey[] = "fake-0123456789-0123456789-012345678";

TEST(FieldRules, HaveNothingToSayOfGoodValues) {
  EXPECT_THAT(
      Check({{"SECRET_KEY", kGoodKey},
             {"SECRET_KEY_PREVIOUS", std::string(kGoodKey) + "-other"},
             {"POSTGRES_PASSWORD", "fake pass word with blanks inside"},
             {"INSTANCE_ENCRYPTION_KEY", kFernetKey},
             {"SENDGRID_API_KEY", "SG.fake.fake"},
             {"SCIM_BEARER_TOKEN", "fake-token-0123456789"},
             {"STORAGE_GCS_CREDENTIALS_JSON",
              R"({"type":"service_account","private_key":"fake","client_email":"a@example.com"})"},
             {"STORAGE_AZURE_CONNECTION_STRING",
              "DefaultEndpointsProtocol=https;AccountName=fake;AccountKey=ZmFrZQ==;"},
             {"LLM_API_KEY_FAKE", "fake-model-key"}}),
      IsEmpty());
}

TEST(FieldRules, WantThirtyTwoBytesOfASigningKey) {
  EXPECT_THAT(Problems({{"SECRET_KEY", std::string("0123456789abcdef0123456789abcdef")}}),
              IsEmpty());
  EXPECT_THAT(Problems({{"SECRET_KEY", "0123456789abcdef0123456789abcde"}}),
              ElementsAre(HasSubstr("error: has 31 bytes; a signing key needs at least 32")));
  EXPECT_THAT(Problems({{"CONTROL_PLANE_SECRET_KEY", "short-key"}}),
              ElementsAre(HasSubstr("error: has 9 bytes")));
}

TEST(FieldRules, KnowPlaceholders) {
  for (const char* placeholder :
       {"changeme", "ChangeMe-0123456789-0123456789-0123456789", "your-jwt-signing-key", "SECRET",
        "<put your key here, at least 32 bytes>", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "TODO"}) {
    EXPECT_THAT(Problems({{"SECRET_KEY", placeholder}}),
                ElementsAre(HasSubstr("error: is a placeholder")))
        << placeholder;
  }
}

TEST(FieldRules, WantPreviousAndNextKeysToDiffer) {
  const auto findings = Check({{"SECRET_KEY", kGoodKey},
                               {"SECRET_KEY_PREVIOUS", kGoodKey},
                               {"INSTANCE_ENCRYPTION_KEY", kFernetKey},
                               {"INSTANCE_ENCRYPTION_KEY_PREVIOUS", kFernetKey}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].subject, "SECRET_KEY_PREVIOUS");
  EXPECT_THAT(findings[0].problem, HasSubstr("the same as SECRET_KEY"));
  EXPECT_EQ(findings[1].subject, "INSTANCE_ENCRYPTION_KEY_PREVIOUS");
}

struct FernetCase {
  std::string key;
  const char* problem;
};

TEST(FieldRules, WantTheCurrentKeyBesideAPreviousOrNextOne) {
  EXPECT_THAT(Problems({{"INSTANCE_ENCRYPTION_KEY_PREVIOUS", kFernetKey}}),
              ElementsAre("error: is set, but INSTANCE_ENCRYPTION_KEY is not"));
  EXPECT_THAT(Problems({{"SECRET_KEY_NEXT", kGoodKey}}),
              ElementsAre("error: is set, but SECRET_KEY is not"));
}

TEST(FieldRules, SayWhatIsWrongWithAFernetKey) {
  const std::string good = kFernetKey;
  for (const FernetCase& c : std::vector<FernetCase>{
           {good + "\n", "line break"},
           {good.substr(0, 43), "lacks the `=`"},
           {"cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4=", "URL-safe alphabet"},
           {good.substr(0, 40) + "AA==", "not padded"},
           {good.substr(4), "has 40 characters"},
           {good.substr(0, 42) + "5=", "not canonical"},
           {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "printed in a standard"},
           {"!" + good.substr(1), "not URL-safe base64"}}) {
    EXPECT_THAT(Problems({{"INSTANCE_ENCRYPTION_KEY", c.key}}),
                ElementsAre(testing::AllOf(HasSubstr("error: "), HasSubstr(c.problem))));
  }
}

TEST(FieldRules, LetAPublishedKeyBeThePreviousOne) {
  EXPECT_THAT(Problems({{"INSTANCE_ENCRYPTION_KEY", kFernetKey},
                        {"INSTANCE_ENCRYPTION_KEY_PREVIOUS",
                         "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="}}),
              testing::IsEmpty());
}

TEST(FieldRules, SeeWhiteSpace) {
  EXPECT_THAT(Problems({{"POSTGRES_PASSWORD", "fake-password\n"}}),
              ElementsAre(HasSubstr("error: ends with a line break")));
  EXPECT_THAT(Problems({{"POSTGRES_PASSWORD", " fake-password"}}),
              ElementsAre(HasSubstr("error: has white space around it")));
  EXPECT_THAT(Problems({{"SMTP_PASSWORD", "fake-password\u00a0"}}),
              ElementsAre(HasSubstr("error: has white space around it")));
  EXPECT_THAT(Problems({{"SCIM_BEARER_TOKEN", "fake-token-0123 456789"}}),
              ElementsAre(HasSubstr("error: contains white space")));
  EXPECT_THAT(Problems({{"LLM_API_KEY_X", "fake-key\nfake"}}),
              ElementsAre(HasSubstr("error: contains white space")));
}

TEST(FieldRules, WantTheShapesThatTheServicesGive) {
  EXPECT_THAT(Problems({{"SENDGRID_API_KEY", "fake-api-key"}}), ElementsAre(HasSubstr("`SG.`")));
  EXPECT_THAT(Problems({{"STORAGE_GCS_CREDENTIALS_JSON", "not json"}}),
              ElementsAre(HasSubstr("not a JSON object")));
  EXPECT_THAT(Problems({{"STORAGE_GCS_CREDENTIALS_JSON", R"({"type":"fake-account"})"}}),
              ElementsAre(HasSubstr("`private_key`"), HasSubstr("`client_email`")));
  EXPECT_THAT(Problems({{"STORAGE_AZURE_CONNECTION_STRING", "AccountName=fake-account"}}),
              ElementsAre(HasSubstr("`AccountKey`")));
  EXPECT_THAT(Problems({{"STORAGE_AZURE_CONNECTION_STRING", "fake-connection"}}),
              ElementsAre(HasSubstr("pairs")));
}

TEST(FieldRules, WarnOfValuesThatStandInAnyLog) {
  for (const char* const value : {"postgres", "LocalHost", "1234567890123"}) {
    EXPECT_THAT(Problems({{"POSTGRES_PASSWORD", value}}),
                ElementsAre(HasSubstr("warning: is an ordinary word or number")));
  }
  EXPECT_THAT(Problems({{"MINE", "true"}}), ElementsAre(HasSubstr("warning: has 4 bytes")));
}

TEST(FieldRules, WarnOfValuesThatMayBeTooLongForTheScrubber) {
  EXPECT_THAT(Problems({{"MINE", std::string((64U << 10) + 1, 'q')}}),
              ElementsAre(HasSubstr("warning: has 65537 bytes: it may be too long")));
  EXPECT_THAT(Problems({{"MINE", std::string(64U << 10, 'q')}}), IsEmpty());
}

TEST(FieldRules, HoldForFieldsOfAnyName) {
  EXPECT_THAT(Problems({{"MINE", ""}}), ElementsAre(HasSubstr("error: is set to the empty value")));
  EXPECT_THAT(Problems({{"MINE", "q7Z"}}), ElementsAre(HasSubstr("warning: has 3 bytes")));
  EXPECT_THAT(Problems({{"MINE", std::string("fake\0fake-value"sv)}}),
              ElementsAre(HasSubstr("warning: contains a zero byte")));
  EXPECT_THAT(Problems({{"MINE", "fake-same-value"}, {"YOURS", "fake-same-value"}}),
              ElementsAre(HasSubstr("warning: has the same value as MINE")));
  EXPECT_THAT(
      Problems(
          {{"MINE", "fake-same-value"}, {"YOURS", "fake-same-value"}, {"OURS", "fake-same-value"}}),
      ElementsAre(HasSubstr("the same value as MINE"), HasSubstr("the same value as MINE")));
}

}  // namespace
}  // namespace qarion::secrets::runtime
