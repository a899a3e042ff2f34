#include "gcp/identity_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/json_document.h"

namespace qarion::secrets::gcp {
namespace {

// As google-auth 2.62.2 sends it (google.auth.impersonated_credentials), without delegates.
TEST(SigningRequest, HasTheClaimsAsText) {
  const std::string claims = R"({"sub": "t@p", "aud": "vault/app", "exp": 1})";
  const ApiRequest request =
      SigningRequest("t@p.iam.gserviceaccount.com", "googleapis.com", Secret::CopyOf(claims));
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url,
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
            "t@p.iam.gserviceaccount.com:signJwt");
  const auto body = core::JsonDocument::Parse(request.body, "test");
  ASSERT_TRUE(body) << request.body;
  EXPECT_THAT(body->root().Names(), testing::ElementsAre("payload"));
  EXPECT_EQ((*body)["payload"].Text(), claims);
}

TEST(SigningRequest, GoesToNoOtherAccountThanTheOneNamed) {
  EXPECT_EQ(SigningRequest("a@b/../c", "example.goog", Secret::CopyOf("{}")).url,
            "https://iamcredentials.example.goog/v1/projects/-/serviceAccounts/a@b%2F..%2Fc"
            ":signJwt");
}

// As google-auth 2.62.2 asks for it (google.auth.compute_engine.IDTokenCredentials), but for the
// blank, which it writes as a plus sign.
TEST(IdentityPath, HasTheAudienceEncoded) {
  EXPECT_EQ(IdentityPath("default", "https://vault.test:8200/vault/my app&1"),
            "instance/service-accounts/default/identity"
            "?audience=https%3A%2F%2Fvault.test%3A8200%2Fvault%2Fmy%20app%261&format=full");
  EXPECT_EQ(IdentityPath("a@b/../..", "a"),
            "instance/service-accounts/a@b%2F..%2F../identity?audience=a&format=full");
}

}  // namespace
}  // namespace qarion::secrets::gcp
