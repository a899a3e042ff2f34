#include "qarion/secrets/jwt_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "core/fake_clock.h"
#include "crypto/base64.h"
#include "crypto/sha256.h"
#include "jwt/compact.h"
#include "tests/support/changing_store.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr char kNowText[] = "1767225600";  // of the fake clock

Secret NewKey() { return *GenerateKey(); }

std::string DecodedPart(std::string_view part) {
  std::string bytes;
  EXPECT_TRUE(DecodePart(part, bytes));
  return bytes;
}

std::string PayloadOf(const std::string& token) {
  return DecodedPart(SplitCompact(token)->payload);
}

Signer SignerWith(const Secret& key) {
  auto signer = Signer::With(key.Share());
  EXPECT_TRUE(signer);
  return (*std::move(signer)).UseClock(std::make_shared<core::FakeClock>());
}

std::string Mistake(const ClaimsBuilder& claims) {
  const auto token = SignerWith(NewKey()).Sign(claims);
  return token ? "" : token.error().reason();
}

TEST(Signer, WritesWhatTheStandardSays) {
  const Secret key = NewKey();
  ClaimsBuilder claims;
  claims.Issuer("joe").Bool("http://example.com/is_root", true);
  const auto token = SignerWith(key).Sign(claims);
  ASSERT_TRUE(token);
  const auto parts = SplitCompact(*token);
  ASSERT_TRUE(parts);
  EXPECT_EQ(DecodedPart(parts->header),
            R"({"alg":"HS256","typ":"JWT","kid":")" + KeyId(key) + "\"}");
  EXPECT_EQ(DecodedPart(parts->payload),
            R"({"iss":"joe","http://example.com/is_root":true,"iat":)" + std::string(kNowText) +
                R"(,"exp":1767227400})");
  // OpenSSL's own.
  const auto code = crypto::HmacSha256(key.Reveal(), parts->signed_text);
  ASSERT_TRUE(code);
  EXPECT_EQ(DecodedPart(parts->signature), std::string(code->begin(), code->end()));
}

TEST(Signer, NamesTheKindOfTokenAndItsLife) {
  const Signer signer = SignerWith(NewKey()).Type("at+jwt").Lifetime(seconds(60)).OmitKeyId();
  const auto token = signer.Sign(ClaimsBuilder());
  ASSERT_TRUE(token);
  EXPECT_EQ(DecodedPart(SplitCompact(*token)->header), R"({"alg":"HS256","typ":"at+jwt"})");
  EXPECT_EQ(PayloadOf(*token), R"({"iat":1767225600,"exp":1767225660})");
}

TEST(Signer, TakesTimesThatAreGiven) {
  ClaimsBuilder claims;
  claims.IssuedAt(Time(seconds(100))).ExpiresAt(Time(seconds(200))).NotBefore(Time(seconds(150)));
  EXPECT_EQ(PayloadOf(*SignerWith(NewKey()).Sign(claims)), R"({"iat":100,"exp":200,"nbf":150})");
}

TEST(Signer, HasNoLifeThatOverflows) {
  const Signer endless = SignerWith(NewKey()).Lifetime(seconds::max());
  EXPECT_EQ(PayloadOf(*endless.Sign({})), R"({"iat":1767225600,"exp":9007201021966592})");
  EXPECT_THAT(SignerWith(NewKey()).Lifetime(seconds::min()).Sign({}).error().reason(),
              HasSubstr("end before it begins"));
  EXPECT_THAT(SignerWith(NewKey()).Type("\xff").Sign({}).error().reason(), HasSubstr("UTF-8"));
}

TEST(Signer, WritesEveryTypeOfClaim) {
  const std::vector<std::string> audience = {"a", "b\"c"};
  ClaimsBuilder claims;
  claims.Audience(audience)
      .Text("t\n", "é\x01\\")
      .Integer("i", -5)
      .Json("o", R"({"x": [1, null]})")
      .ExpiresAt(Time(seconds(1767225601)));
  EXPECT_EQ(PayloadOf(*SignerWith(NewKey()).Sign(claims)),
            R"({"aud":["a","b\"c"],"t\u000a":"é\u0001\\","i":-5,"o":{"x": [1, null]},)"
            R"("exp":1767225601,"iat":1767225600})");
}

TEST(Signer, SignsWithTheLongerHashesToo) {
  for (const Algorithm algorithm : {Algorithm::kHs384, Algorithm::kHs512}) {
    const auto signer = Signer::With(*GenerateKey(algorithm), algorithm);
    ASSERT_TRUE(signer);
    const auto token = signer->Sign(ClaimsBuilder());
    ASSERT_TRUE(token);
    EXPECT_EQ(DecodedPart(SplitCompact(*token)->signature).size(),
              algorithm == Algorithm::kHs384 ? 48 : 64);
  }
}

TEST(Signer, TellsMistakesInClaims) {
  const Time soon(seconds(1767225700));
  EXPECT_THAT(Mistake(ClaimsBuilder().Text("a", "x").Integer("a", 1)), HasSubstr("twice"));
  EXPECT_THAT(Mistake(ClaimsBuilder().ExpiresAt(soon).Json("exp", "1")), HasSubstr("twice"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Text("a", "\xff")), HasSubstr("UTF-8"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Text("\xff", "a")), HasSubstr("UTF-8"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Json("a", "{")), HasSubstr("JSON"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Json("a", R"(1,"exp":2)")), HasSubstr("JSON"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Json("a", R"({"b":1,"b":2})")), HasSubstr("JSON"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Integer("iss", 1)), HasSubstr("iss"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Bool("aud", true)), HasSubstr("aud"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Text("exp", "1")), HasSubstr("exp"));
  EXPECT_THAT(Mistake(ClaimsBuilder().ExpiresAt(Time(seconds(-1)))), HasSubstr("exp"));
  EXPECT_THAT(Mistake(ClaimsBuilder().ExpiresAt(Time(seconds(1767225600)))),
              HasSubstr("end before it begins"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Json("iat", "9223372036854775807")), HasSubstr("iat"));
  EXPECT_THAT(Mistake(ClaimsBuilder().Integer("exp", 9007199254740993)), HasSubstr("exp"));
  EXPECT_EQ(Mistake(ClaimsBuilder().ExpiresAt(soon)), "");
}

TEST(Signer, RefusesKeysThatProtectNothing) {
  for (const auto& [key, problem] :
       {std::pair("fake-short", "has 10 bytes"),
        std::pair("09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
                  "anybody has it"),
        std::pair("django-insecure-#fake-fake-fake-fake-fake-fake", "placeholder"),
        std::pair("abcabcabcabcabcabcabcabcabcabcabcabcabc", "repeats")}) {
    const auto signer = Signer::With(Secret::CopyOf(key));
    ASSERT_FALSE(signer) << key;
    EXPECT_EQ(signer.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(signer.error().reason(), HasSubstr(problem));
    EXPECT_THAT(signer.error().reason(), testing::Not(HasSubstr(key)));
    EXPECT_NE(signer.error().cure(), "");
  }
  // Enough for SHA-256 alone.
  EXPECT_FALSE(Signer::With(NewKey(), Algorithm::kHs384));
  EXPECT_FALSE(Signer::With(NewKey(), Algorithm::kHs512));
}

TEST(Signer, FollowsTheKeyOfTheBackend) {
  test::ChangingStore::Content content;
  const Secret first = NewKey();
  const Secret second = NewKey();
  content.values = {{"SECRET_KEY", std::string(first.Reveal())},
                    {"SECRET_KEY_NEXT", std::string(second.Reveal())}};
  auto runtime = Runtime::Create({.settings = {{"SECRETS_ENV_FILE", "/dev/null"}},
                                  .provider = std::make_unique<test::ChangingStore>(content),
                                  .clock = std::make_shared<core::FakeClock>()});
  ASSERT_TRUE(runtime);
  const Signer signer = Signer::For(*runtime);
  EXPECT_TRUE(signer.Check());
  const auto header_of = [&] { return DecodedPart(SplitCompact(*signer.Sign({}))->header); };
  EXPECT_THAT(header_of(), HasSubstr(KeyId(first)));

  content.values = {{"SECRET_KEY", std::string(second.Reveal())},
                    {"SECRET_KEY_PREVIOUS", std::string(first.Reveal())}};
  content.version = 2;
  ASSERT_TRUE(runtime->Refresh());
  EXPECT_THAT(header_of(), HasSubstr(KeyId(second)));

  content.values = {{"SECRET_KEY_PREVIOUS", std::string(first.Reveal())}};
  content.version = 3;
  ASSERT_TRUE(runtime->Refresh());
  const auto none = signer.Sign({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kNotSet);
  EXPECT_EQ(signer.Check().error().code(), ErrorCode::kNotSet);
}

}  // namespace
}  // namespace qarion::secrets::jwt
