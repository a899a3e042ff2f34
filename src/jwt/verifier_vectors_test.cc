// Published cases, in full.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/fake_clock.h"
#include "core/json_document.h"
#include "crypto/base64.h"
#include "qarion/secrets/jwt_verifier.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::seconds;

// What is decided before a claim is looked at: tokens of JWS need not have claims at all.
bool IsSigned(const Result<VerifiedToken>& verified) {
  if (verified) return true;
  const auto reason = RejectionOf(verified.error());
  return reason && *reason > Rejection::kBadSignature;
}

Verifier BoundlessWith(const Secret& key, Algorithm algorithm = Algorithm::kHs256) {
  return Verifier::With({.current = key.Share()}, algorithm).AcceptWeakKeys().AcceptAnyType();
}

// RFC 7515, A.1.
TEST(JwtVectors, AcceptsTheExampleOfRfc7515) {
  const auto key = crypto::DecodeBase64Url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  const auto clock = std::make_shared<core::FakeClock>();
  clock->Advance(seconds(1300819379 - 1767225600));
  const auto verified = Verifier::With({.current = key->Share()})
                            .UseClock(clock)
                            .RequireIssuer("joe")
                            .Verify(
                                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
                                ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(verified) << verified.error().reason();
  EXPECT_EQ(verified->claims().Bool("http://example.com/is_root"), true);
}

TEST(JwtVectors, AgreesWithRfc7520) {
  for (const auto& [name, is_signed] :
       {std::pair("rfc7520_4_4.hmac-sha2_integrity_protection.json", true),
        std::pair("rfc7520_4_5.signature_with_detached_content.json", false)}) {
    const auto path = test::FindVectors(name);
    if (!path) GTEST_SKIP() << name << " " << test::kNoVectors;
    const auto file = core::JsonDocument::Parse(test::ReadText(*path), name);
    ASSERT_TRUE(file);
    const auto key = crypto::DecodeBase64Url(*(*file)["input"]["key"]["k"].Text());
    ASSERT_TRUE(key);
    const auto token = (*file)["output"]["compact"].Text();
    ASSERT_TRUE(token);
    EXPECT_EQ(IsSigned(BoundlessWith(*key).Verify(*token)), is_signed) << name;
  }
}

// 367 and 370 are labelled invalid and are byte for byte 357, which is valid; 372 and 373 have
// characters that are no base64 and are labelled valid.
TEST(JwtVectors, DiffersFromWycheproofInFourCasesAlone) {
  const auto path = test::FindVectors("wycheproof_json_web_signature_test.json");
  if (!path) GTEST_SKIP() << "wycheproof_json_web_signature_test.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*path), "wycheproof");
  ASSERT_TRUE(file) << file.error().reason();
  const std::map<std::string_view, Algorithm> algorithms = {
      {"HS256", Algorithm::kHs256}, {"HS384", Algorithm::kHs384}, {"HS512", Algorithm::kHs512}};
  std::set<std::int64_t> different;
  std::size_t count = 0;
  for (const core::JsonValue& group : (*file)["testGroups"].Elements()) {
    const core::JsonValue jwk = group["private"];
    if (jwk["kty"].Text() != "oct") continue;
    const auto key = crypto::DecodeBase64Url(*jwk["k"].Text());
    ASSERT_TRUE(key);
    const Verifier verifier = BoundlessWith(*key, algorithms.at(*jwk["alg"].Text()));
    for (const core::JsonValue& c : group["tests"].Elements()) {
      ++count;
      const bool is_signed = IsSigned(verifier.Verify(c["jws"].Text().value_or("")));
      if (is_signed != (c["result"].Text() == "valid")) different.insert(*c["tcId"].Integer());
    }
  }
  EXPECT_EQ(count, 40);
  EXPECT_EQ(different, (std::set<std::int64_t>{367, 370, 372, 373}));
}

TEST(JwtVectors, WithstandsEveryAttack) {
  const auto path = test::FindVectors("jwt_hs256_attack_cases.json");
  if (!path) GTEST_SKIP() << "jwt_hs256_attack_cases.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*path), "attacks");
  ASSERT_TRUE(file) << file.error().reason();
  const auto clock = std::make_shared<core::FakeClock>();
  const auto verifier_with = [&](std::string_view previous) {
    return Verifier::With({.current = Secret::CopyOf(*(*file)["key_utf8"].Text()),
                           .previous = Secret::CopyOf(previous)})
        .UseClock(clock)
        .AcceptWeakKeys()
        .AcceptLifetimesUpTo(seconds(4133980800));  // up to 2101, and no further
  };
  const Verifier alone = verifier_with("");
  const Verifier with_previous = verifier_with(*(*file)["previous_key_utf8"].Text());
  const std::set<std::string_view> accepted = {"accept", "accept-with-previous"};
  const std::set<std::string_view> rejected = {"reject", "reject-by-max-ttl-never-wrap",
                                               "reject-if-aud-configured"};
  std::size_t count = 0;
  for (const core::JsonValue& c : (*file)["cases"].Elements()) {
    ++count;
    const std::string name(*c["name"].Text());
    const std::string_view expected = *c["expect"].Text();
    const std::string_view token = *c["token"].Text();
    const auto verified = with_previous.Verify(token);
    if (accepted.contains(expected)) {
      EXPECT_TRUE(verified) << name << ": " << verified.error().reason();
      EXPECT_EQ(alone.Verify(token).has_value(), expected == "accept") << name;
    } else if (rejected.contains(expected)) {
      EXPECT_FALSE(verified) << name;
    } else {
      EXPECT_EQ(expected, "accept-or-reject") << name;
    }
  }
  EXPECT_GE(count, 60);
}

}  // namespace
}  // namespace qarion::secrets::jwt
