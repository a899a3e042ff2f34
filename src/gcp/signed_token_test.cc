#include "gcp/signed_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "core/json_document.h"
#include "crypto/base64.h"
#include "crypto/rsa_key.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::gcp {
namespace {

constexpr std::chrono::sys_seconds kSignedAt{std::chrono::seconds(1767323045)};
constexpr char kScope[] = "https://www.googleapis.com/auth/cloud-platform";

struct Parts {
  std::string signed_part;
  std::optional<core::JsonDocument> header;
  std::optional<core::JsonDocument> claims;
  std::string signature;
};

Parts Split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  const auto json = [](std::string_view text) -> std::optional<core::JsonDocument> {
    const auto bytes = crypto::DecodeBase64Url(text);
    if (!bytes) return std::nullopt;
    auto parsed = core::JsonDocument::Parse(bytes->Reveal(), "token");
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
  };
  return {.signed_part = std::string(token.substr(0, last)),
          .header = json(token.substr(0, first)),
          .claims = json(token.substr(first + 1, last - first - 1)),
          .signature = std::string(token.substr(last + 1))};
}

// Members are texts and numbers.
void ExpectSame(const std::optional<core::JsonDocument>& ours,
                const std::optional<core::JsonDocument>& theirs) {
  ASSERT_TRUE(ours && theirs);
  EXPECT_THAT(ours->root().Names(), testing::UnorderedElementsAreArray(theirs->root().Names()));
  for (const std::string_view name : theirs->root().Names()) {
    EXPECT_EQ((*ours)[name].Text(), (*theirs)[name].Text()) << name;
    EXPECT_EQ((*ours)[name].Integer(), (*theirs)[name].Integer()) << name;
  }
}

// cloud/gcp_golden.json: what google-auth makes with the same key at the same time.
class SignedToken : public testing::Test {
 protected:
  void SetUp() override {
    const auto golden = test::FindVectors("cloud/gcp_golden.json");
    const auto pem = test::FindVectors("cloud/throwaway_rsa2048.pem");
    if (!golden || !pem) GTEST_SKIP() << test::kNoVectors;
    auto json = core::JsonDocument::Parse(test::ReadText(*golden), "golden");
    ASSERT_TRUE(json);
    golden_ = std::move(*json);
    auto key = crypto::ReadRsaPrivateKey(test::ReadText(*pem), "key");
    ASSERT_TRUE(key) << key.error().reason();
    key_ = std::move(*key);
  }

  void ExpectIsAs(const Result<Secret>& token, std::string_view theirs) {
    ASSERT_TRUE(token) << token.error().reason();
    const Parts ours = Split(token->Reveal());
    const Parts golden = Split(theirs);
    ExpectSame(ours.header, golden.header);
    ExpectSame(ours.claims, golden.claims);
    // Signatures differ with the order of members; that the key signs as theirs is shown here.
    const auto again = crypto::SignRs256(key_, golden.signed_part, "key");
    ASSERT_TRUE(again);
    EXPECT_EQ(crypto::EncodeBase64Url(again->Reveal()).Reveal(), golden.signature);
    const auto signature = crypto::SignRs256(key_, ours.signed_part, "key");
    ASSERT_TRUE(signature);
    EXPECT_EQ(crypto::EncodeBase64Url(signature->Reveal()).Reveal(), ours.signature);
  }

  const ServiceAccount account_{.client_email = "sa@p.iam.gserviceaccount.com",
                                .private_key_id = "kid1",
                                .private_key = {},
                                .token_uri = "https://oauth2.googleapis.com/token"};
  std::optional<core::JsonDocument> golden_;
  Secret key_;
};

TEST_F(SignedToken, IsForAnAudience) {
  const TokenUse use{.audience = "https://secretmanager.googleapis.com/", .scope = ""};
  ExpectIsAs(SelfSignedToken(account_, key_, use, kSignedAt),
             *(*golden_)["sa_self_signed_audience_jwt"].Text());
}

TEST_F(SignedToken, IsForAScope) {
  const TokenUse use{.audience = "", .scope = kScope};
  ExpectIsAs(SelfSignedToken(account_, key_, use, kSignedAt),
             *(*golden_)["sa_self_signed_scope_jwt"].Text());
}

TEST_F(SignedToken, AsksForAnAccessToken) {
  const std::string_view body = *(*golden_)["sa_exchange"].Elements().at(0)["body"].Text();
  const std::size_t begin = body.find("assertion=") + 10;
  ExpectIsAs(GrantAssertion(account_, key_, kScope, kSignedAt),
             body.substr(begin, body.find('&', begin) - begin));
}

// google.auth.jwt.encode of google-auth 2.62.2, with the same key, of these claims.
TEST_F(SignedToken, TellsOthersWhoOneIs) {
  constexpr std::string_view kTheirs =
      "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzI1NiIsICJraWQiOiAia2lkMSJ9."
      "eyJzdWIiOiAic2FAcC5pYW0uZ3NlcnZpY2VhY2NvdW50LmNvbSIsICJhdWQiOiAidmF1bHQvYXBwIiwgImlhdCI6IDE3"
      "NjczMjMwNDUsICJleHAiOiAxNzY3MzIzNjQ1fQ."
      "rzMaRQqehFMASenJXEo0Y0DuMKyU_4tSJn1JoZUuqZZR83aQJY8Dh85iDujgY2lTknvBmFxtS7jgU7hQPYDhszTvUecM"
      "uhklNcNjoeqhYca23N6S94OadxBnqGnHvru3qegmUzjxAnUK2C4Qs40w-xfbwXQV6iT8MMrp97pFhTY98hNteNJzQlM5"
      "pFq5ZLD9uZvR7vnrm2tNp5F8L3bte1IcDp9o9ZtgiJtv1e0ManTyihSdnZcQqQC5_69OjoBpYpHP-PFiUXcOMLy0qBfS"
      "Eo8rcndCAdRk0mZ0NJRgndY1DjbaAwRasP6zHt3PqhCzsiaROiOlLk17FYt96RHDeg";
  const IdentityClaims claims{
      .subject = account_.client_email, .audience = "vault/app", .life = std::chrono::minutes(10)};
  ExpectIsAs(SignedIdentity(account_, key_, claims, kSignedAt), kTheirs);
  const auto text = core::JsonDocument::Parse(ClaimsText(claims, kSignedAt).Reveal(), "claims");
  ASSERT_TRUE(text);
  EXPECT_EQ((*text)["exp"].Integer(), 1767323645);
}

// Google's libraries leave it out where the file has none.
TEST_F(SignedToken, NamesNoKeyWithoutAnId) {
  ServiceAccount account{
      .client_email = "sa", .private_key_id = "", .private_key = {}, .token_uri = ""};
  const auto token = SelfSignedToken(account, key_, {.audience = "a", .scope = ""}, kSignedAt);
  ASSERT_TRUE(token);
  EXPECT_FALSE((*Split(token->Reveal()).header)["kid"].exists());
}

}  // namespace
}  // namespace qarion::secrets::gcp
