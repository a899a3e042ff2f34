#include "gcp/token_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/json_document.h"
#include "tests/support/parsed_json.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::seconds;
using test::ParsedJson;
using testing::HasSubstr;

constexpr std::chrono::system_clock::time_point kRequestedAt{seconds(1767323045)};

std::string DecodedParameter(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      decoded += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::map<std::string, std::string> FieldsOf(std::string_view form) {
  std::map<std::string, std::string> fields;
  while (!form.empty()) {
    const std::string_view field = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(field.size() + 1, form.size()));
    fields[DecodedParameter(field.substr(0, field.find('=')))] =
        DecodedParameter(field.substr(field.find('=') + 1));
  }
  return fields;
}

std::string HeaderOf(const net::HttpRequest& request, std::string_view name) {
  for (const net::HttpHeader& header : request.headers) {
    if (header.name == name) return std::string(header.value.Reveal());
  }
  return "";
}

// cloud/gcp_golden.json: the requests of google-auth.
class GoldenRequest : public testing::Test {
 protected:
  void SetUp() override {
    const auto path = test::FindVectors("cloud/gcp_golden.json");
    if (!path) GTEST_SKIP() << test::kNoVectors;
    golden_.emplace(ParsedJson(test::ReadText(*path)));
  }

  // The n-th request of a case.
  core::JsonValue Of(const char* name, std::size_t n = 0) const {
    return (*golden_)[name].Elements().at(n);
  }

  static void ExpectIsAs(const net::HttpRequest& ours, const core::JsonValue& theirs) {
    EXPECT_EQ(ours.method, *theirs["method"].Text());
    EXPECT_EQ(ours.url, *theirs["url"].Text());
    EXPECT_EQ(FieldsOf(ours.body.Reveal()), FieldsOf(*theirs["body"].Text()));
    EXPECT_THAT(HeaderOf(ours, "Content-Type"),
                testing::StartsWith(std::string(*theirs["headers"]["Content-Type"].Text())));
    EXPECT_EQ(HeaderOf(ours, "Authorization"),
              theirs["headers"]["Authorization"].Text().value_or(""));
  }

  ExternalAccount Account() const {
    ExternalAccount account;
    account.audience =
        "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/pool/providers/"
        "prov";
    account.subject_token_type = "urn:ietf:params:oauth:token-type:jwt";
    account.token_url = "https://sts.googleapis.com/v1/token";
    return account;
  }
  const Secret subject_token_ = Secret::CopyOf("eyJ.a+b/c=.sig");
  std::optional<core::JsonDocument> golden_;
};

TEST_F(GoldenRequest, IsForAnAssertion) {
  const ServiceAccount account{.client_email = "",
                               .private_key_id = "",
                               .private_key = {},
                               .token_uri = "https://oauth2.googleapis.com/token"};
  const auto theirs = Of("sa_exchange");
  const auto assertion = Secret::CopyOf(FieldsOf(*theirs["body"].Text())["assertion"]);
  ExpectIsAs(GrantRequest(account, assertion), theirs);
}

TEST_F(GoldenRequest, IsForARefreshToken) {
  ExpectIsAs(RefreshRequest(AuthorizedUser{.client_id = "cid.apps",
                                           .client_secret = Secret::CopyOf("s e&c"),
                                           .refresh_token = Secret::CopyOf("1//rt+/=")}),
             Of("authorized_user"));
}

TEST_F(GoldenRequest, IsForATokenOfAnotherProvider) {
  ExpectIsAs(ExchangeRequest(Account(), subject_token_), Of("external_account"));
}

TEST_F(GoldenRequest, NamesTheClient) {
  ExternalAccount account = Account();
  account.client_id = "c:id";
  account.client_secret = Secret::CopyOf("s/ec");
  account.workforce_user_project = "left out then";
  ExpectIsAs(ExchangeRequest(account, subject_token_), Of("external_account_client_auth"));
}

TEST_F(GoldenRequest, ActsAsAServiceAccount) {
  ExternalAccount account = Account();
  account.impersonated_email = "t@p.iam.gserviceaccount.com";
  ExpectIsAs(ExchangeRequest(account, subject_token_), Of("external_account_impersonated"));

  const auto theirs = Of("external_account_impersonated", 1);
  const Impersonation impersonation{
      .email = account.impersonated_email, .delegates = {}, .lifetime = seconds(2800)};
  const net::HttpRequest ours = ImpersonationRequest(impersonation, Secret::CopyOf("t"));
  EXPECT_EQ(ours.url, *theirs["url"].Text());
  EXPECT_EQ(HeaderOf(ours, "Authorization"), *theirs["headers"]["authorization"].Text());
  EXPECT_EQ(HeaderOf(ours, "Content-Type"), *theirs["headers"]["Content-Type"].Text());
  const auto body = ParsedJson(ours.body.Reveal());
  const auto golden = ParsedJson(*theirs["body"].Text());
  EXPECT_EQ(body["lifetime"].Text(), golden["lifetime"].Text());
  ASSERT_EQ(body["scope"].Elements().size(), 1U);
  EXPECT_EQ(body["scope"].Elements()[0].Text(), golden["scope"].Elements().at(0).Text());
  EXPECT_FALSE(body["delegates"].exists());  // null there; Go's library leaves it out, too
}

TEST_F(GoldenRequest, SaysWhichProjectOfAWorkforceIsBilled) {
  ExternalAccount account = Account();
  account.audience = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/prov";
  account.workforce_user_project = "wfproj";
  const auto ours = FieldsOf(ExchangeRequest(account, subject_token_).body.Reveal());
  auto theirs = FieldsOf(*Of("external_account_workforce")["body"].Text());
  const auto options = ParsedJson(DecodedParameter(ours.at("options")));
  EXPECT_EQ(options["userProject"].Text(),
            ParsedJson(DecodedParameter(theirs.at("options")))["userProject"].Text());
  theirs["options"] = ours.at("options");
  EXPECT_EQ(ours, theirs);
}

TEST(ImpersonationRequest, NamesThoseInBetweenInFull) {
  const auto request = ImpersonationRequest({.email = "a@b",
                                             .delegates = {"c@d", "projects/-/serviceAccounts/e@f"},
                                             .universe = "x.goog"},
                                            Secret::CopyOf("fake"));
  EXPECT_EQ(request.url,
            "https://iamcredentials.x.goog/v1/projects/-/serviceAccounts/a@b:generateAccessToken");
  const auto body = ParsedJson(request.body.Reveal());
  ASSERT_EQ(body["delegates"].Elements().size(), 2U);
  EXPECT_EQ(body["delegates"].Elements()[0].Text(), "projects/-/serviceAccounts/c@d");
  EXPECT_EQ(body["delegates"].Elements()[1].Text(), "projects/-/serviceAccounts/e@f");
}

TEST(TokenIn, EndsWhenTheAnswerSays) {
  for (const char* const text : {R"({"access_token":"fake-token","expires_in":3599})",
                                 R"({"access_token":"fake-token","expires_in":"3599"})"}) {
    const auto token = TokenIn(ParsedJson(text), "the exchange", kRequestedAt);
    ASSERT_TRUE(token) << token.error().reason();
    EXPECT_EQ(token->text.Reveal(), "fake-token");
    EXPECT_EQ(token->expires_at, kRequestedAt + seconds(3599));
  }
  const auto endless =
      TokenIn(ParsedJson(R"({"access_token":"fake-token"})"), "the exchange", kRequestedAt);
  ASSERT_TRUE(endless);
  EXPECT_FALSE(endless->expires_at);
  const auto longest =
      TokenIn(ParsedJson(R"({"access_token":"fake-token","expires_in":9223372036854775807})"), "it",
              kRequestedAt);
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->expires_at, kRequestedAt + std::chrono::days(366));
}

TEST(TokenIn, NeedsATokenThatCanBeSent) {
  for (const char* const text :
       {"{}", "[]", R"({"access_token":""})", R"({"access_token":7})", R"({"id_token":"fake-a"})",
        R"({"access_token":"fake-\n"})", R"({"access_token":"fake-a","expires_in":"soon"})",
        R"({"access_token":"fake-a","expires_in":0})",
        R"({"access_token":"fake-a","expires_in":null})"}) {
    const auto token = TokenIn(ParsedJson(text), "the exchange", kRequestedAt);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(token.error().reason(), HasSubstr("the exchange: the answer has"));
    EXPECT_THAT(token.error().reason(), testing::Not(HasSubstr("fake-")));
  }
}

TEST(ImpersonatedTokenIn, EndsWhenTheAnswerSays) {
  const auto token = ImpersonatedTokenIn(
      ParsedJson(R"({"accessToken":"fake-token","expireTime":"2026-01-02T04:04:05Z"})"), "it");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->text.Reveal(), "fake-token");
  EXPECT_EQ(token->expires_at, kRequestedAt + std::chrono::hours(1));
  for (const char* const text :
       {"{}", R"({"accessToken":"fake"})", R"({"accessToken":"fake","expireTime":"soon"})"}) {
    EXPECT_FALSE(ImpersonatedTokenIn(ParsedJson(text), "it")) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::gcp
