#include "aws/credential_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qarion::secrets::aws {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr DocumentShape kProcess{.token_name = "SessionToken"};
constexpr DocumentShape kInstance{
    .token_name = "Token", .needs_token = true, .needs_expiration = true};

Result<Credentials> Read(std::string_view json, const DocumentShape& shape) {
  const auto document = core::JsonDocument::Parse(json, "test");
  if (!document) return document.error();
  return CredentialsFromJson(*document, shape, "the document");
}

TEST(CredentialDocumentTest, ReadsAllItHas) {
  const auto credentials = Read(
      R"({"AccessKeyId": "AKIDFAKE", "SecretAccessKey": "fake/secret+key=", "Token": "fake-token",
          "Expiration": "2026-01-01T00:00:00Z", "AccountId": "123456789012", "Other": [1]})",
      kInstance);
  ASSERT_TRUE(credentials) << credentials.error().reason();
  EXPECT_EQ(credentials->keys.access_key_id, "AKIDFAKE");
  EXPECT_EQ(credentials->keys.secret_access_key.Reveal(), "fake/secret+key=");
  EXPECT_EQ(credentials->keys.session_token.Reveal(), "fake-token");
  EXPECT_EQ(credentials->account_id, "123456789012");
  EXPECT_EQ(credentials->origin, "the document");
  EXPECT_EQ(credentials->expires_at, std::chrono::system_clock::from_time_t(1767225600));
}

TEST(CredentialDocumentTest, TakesNullForMissing) {
  const auto credentials = Read(
      R"({"AccessKeyId": "AKIDFAKE", "SecretAccessKey": "fake", "SessionToken": null,
          "Expiration": null})",
      kProcess);
  ASSERT_TRUE(credentials) << credentials.error().reason();
  EXPECT_TRUE(credentials->keys.session_token.empty());
  EXPECT_FALSE(credentials->expires_at);
}

struct Refusal {
  std::string_view json;
  std::string_view named;
};

TEST(CredentialDocumentTest, NamesWhatIsMissingOrMalformed) {
  for (const auto& [json, named] : {
           Refusal{R"([])", "not an object"},
           Refusal{R"({"SecretAccessKey": "fake1", "Token": "fake2"})", "AccessKeyId"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": "", "Token": "fake2"})",
                   "SecretAccessKey"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": 17, "Token": "fake2"})",
                   "SecretAccessKey is not text"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": "fake1"})", "Token"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": "fake1", "Token": "fake2\n"})",
                   "Token has a character"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": "fake1", "Token": "fake2"})",
                   "Expiration is missing"},
           Refusal{R"({"AccessKeyId": "A", "SecretAccessKey": "fake1", "Token": "fake2",
                       "Expiration": "tomorrow"})",
                   "Expiration is not a time"},
       }) {
    const auto credentials = Read(json, kInstance);
    ASSERT_FALSE(credentials) << json;
    EXPECT_EQ(credentials.error().code(), ErrorCode::kBadData) << json;
    EXPECT_THAT(credentials.error().reason(), HasSubstr(named)) << json;
    EXPECT_THAT(credentials.error().reason(), HasSubstr("the document")) << json;
    EXPECT_THAT(credentials.error().reason(), Not(HasSubstr("fake"))) << json;
  }
}

TEST(CredentialDocumentTest, RefusesKeysThatWouldBreakTheLineTheyAreSentIn) {
  for (const std::string_view key : {"fake key", "fake\rkey", "fake\n", " fake", "fak\xc3\xa9"}) {
    const auto keys = KeysFrom({"AKIDFAKE", "ID"}, {key, "SECRET"}, {});
    ASSERT_FALSE(keys);
    EXPECT_THAT(keys.error().reason(), HasSubstr("SECRET has a character"));
    EXPECT_THAT(keys.error().reason(), Not(HasSubstr("fak")));
  }
}

TEST(CredentialDocumentTest, RefusesKeyIdsThatNoSignatureCanName) {
  for (const std::string_view id : {"AKID/FAKE", "AKID,FAKE"}) {
    const auto keys = KeysFrom({id, "ID"}, {"fake", "SECRET"}, {});
    ASSERT_FALSE(keys);
    EXPECT_THAT(keys.error().reason(), HasSubstr("ID has a /"));
    EXPECT_NE(keys.error().cure(), "");
  }
}

}  // namespace
}  // namespace qarion::secrets::aws
