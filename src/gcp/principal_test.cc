#include "gcp/principal.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base64.h"

namespace qarion::secrets::gcp {
namespace {

std::string Jwt(std::string_view claims) {
  const auto part = [](std::string_view text) {
    return std::string(crypto::EncodeBase64Url(text).Reveal());
  };
  return part(R"({"alg":"RS256"})") + "." + part(claims) + "." + part("fake-signature");
}

TEST(Principal, IsAUserByTheirIdToken) {
  EXPECT_EQ(UserIn(Jwt(R"({"sub": "1", "email": "someone@example.com"})")),
            "user:someone@example.com");
  for (const std::string& token :
       {std::string(), std::string("a.b.c"), std::string("a.b"), Jwt("[]"), Jwt("{}"),
        Jwt(R"({"email": 5})"), Jwt(R"({"email": "someone"})"), Jwt(R"({"email": "a@b c"})"),
        Jwt(R"({"email": "a@b\n"})"), Jwt(R"({"email": ")" + std::string(321, '@') + "\"}")}) {
    EXPECT_EQ(UserIn(token), "") << token;
  }
}

// As https://cloud.google.com/iam/docs/principal-identifiers has them.
TEST(Principal, IsAMemberOfAPoolByTheirOwnToken) {
  EXPECT_EQ(PoolMemberIn("//iam.googleapis.com/projects/123/locations/global/"
                         "workloadIdentityPools/ci/providers/github",
                         Jwt(R"({"sub": "repo:o/r:ref:refs/heads/main"})")),
            "principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/"
            "subject/repo:o/r:ref:refs/heads/main");
  EXPECT_EQ(PoolMemberIn("//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
                         Jwt(R"({"sub": "someone"})")),
            "principal://iam.googleapis.com/locations/global/workforcePools/p/subject/someone");
  const std::string pool = "//iam.googleapis.com/locations/global/workforcePools/";
  EXPECT_EQ(PoolMemberIn(pool + "p", Jwt(R"({"sub": "s"})")), "");
  EXPECT_EQ(PoolMemberIn("identitynamespace:p:c/providers/x", Jwt(R"({"sub": "s"})")), "");
  EXPECT_EQ(PoolMemberIn(pool + "p/providers/q", Jwt(R"({"sub": "s s"})")), "");
  EXPECT_EQ(PoolMemberIn(pool + "p/providers/q", "fake-opaque-token"), "");
}

TEST(Principal, IsOneWordOfACommand) {
  EXPECT_EQ(MemberFlag("serviceAccount:a@b"), " --member=serviceAccount:a@b");
  EXPECT_EQ(MemberFlag(""), " --member=PRINCIPAL");
  EXPECT_EQ(MemberFlag("principal://p/subject/auth0|1;$(x)"),
            " --member='principal://p/subject/auth0|1;$(x)'");
  EXPECT_EQ(MemberFlag("user:o'neil@b"), R"( --member='user:o'\''neil@b')");
  EXPECT_EQ(AccountIn("serviceAccount:a@b"), "a@b");
  EXPECT_EQ(AccountIn("user:a@b"), "");
}

Error Refusal(const char* reason) {
  return Error(ErrorCode::kNotPermitted, "no")
      .With("reason", reason)
      .With("status", "403")
      .Cure("fake cure");
}

TEST(Principal, IsPermittedToActAsAnother) {
  const std::vector<std::string> one = {"target@p"};
  EXPECT_EQ(WithGrants(Refusal("IAM_PERMISSION_DENIED"), "user:a@b", one).cure(),
            "permit it: gcloud iam service-accounts add-iam-policy-binding target@p "
            "--member=user:a@b --role=roles/iam.serviceAccountTokenCreator");
  const std::vector<std::string> two = {"projects/-/serviceAccounts/first@p", "target@p"};
  EXPECT_EQ(WithGrants(Refusal("IAM_PERMISSION_DENIED"), "", two).cure(),
            "permit it: gcloud iam service-accounts add-iam-policy-binding first@p "
            "--member=PRINCIPAL --role=roles/iam.serviceAccountTokenCreator; gcloud iam "
            "service-accounts add-iam-policy-binding target@p --member=serviceAccount:first@p "
            "--role=roles/iam.serviceAccountTokenCreator");
  EXPECT_EQ(WithGrants(Refusal("USER_PROJECT_DENIED"), "user:a@b", one).cure(), "fake cure");
  EXPECT_EQ(WithGrants(Error(ErrorCode::kNotPermitted, "no").With("status", "401").Cure("fake"),
                       "user:a@b", one)
                .cure(),
            "fake");
  EXPECT_TRUE(
      WithGrants(Error(ErrorCode::kNotPermitted, "no").With("status", "403"), "user:a@b", one)
          .cure()
          .starts_with("permit it: "));
}

}  // namespace
}  // namespace qarion::secrets::gcp
