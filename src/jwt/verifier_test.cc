#include "qarion/secrets/jwt_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>

#include "core/fake_clock.h"
#include "crypto/sha256.h"
#include "jwt/compact.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

// Of the fake clock.
constexpr std::int64_t kNow = 1767225600;

static_assert(!std::is_constructible_v<VerifiedToken, Claims, KeyRole>);
static_assert(!std::is_convertible_v<UnverifiedToken, VerifiedToken>);

class VerifierTest : public testing::Test {
 protected:
  Keys ring() const {
    return {.current = current_.Share(), .previous = previous_.Share(), .next = next_.Share()};
  }
  Verifier Make() { return Verifier::With(ring()).UseClock(clock_); }

  // Signed by OpenSSL's own HMAC, whatever header and payload are.
  static std::string Sign(const Secret& key, std::string_view header, std::string_view payload) {
    std::string token;
    AppendEncoded(header, token);
    token += '.';
    AppendEncoded(payload, token);
    const auto code = crypto::HmacSha256(key.Reveal(), token);
    token += '.';
    AppendEncoded({reinterpret_cast<const char*>(code->data()), code->size()}, token);
    return token;
  }
  std::string Sign(std::string_view payload) const { return Sign(current_, kHeader, payload); }
  // With an end in a minute, as all need one.
  std::string SignLive(const std::string& members) const {
    return Sign(R"({"exp":)" + std::to_string(kNow + 60) + (members.empty() ? "" : ",") + members +
                "}");
  }

  std::string Outcome(const Verifier& verifier, std::string_view token) const {
    const auto verified = verifier.Verify(token);
    if (verified) return std::string(ToString(verified->key()));
    EXPECT_EQ(verified.error().code(), ErrorCode::kBadData);
    EXPECT_NE(verified.error().cure(), "");
    const auto rejection = RejectionOf(verified.error());
    EXPECT_TRUE(rejection) << verified.error().reason();
    EXPECT_THAT(verified.error().reason(), HasSubstr(std::string(ToString(*rejection))));
    if (token.size() > 20) {
      EXPECT_THAT(verified.error().reason(), Not(HasSubstr(std::string(token.substr(0, 8)))));
    }
    return std::string(ToString(*rejection));
  }
  std::string Outcome(std::string_view token) { return Outcome(Make(), token); }

  static constexpr char kHeader[] = R"({"alg":"HS256","typ":"JWT"})";
  const std::shared_ptr<core::FakeClock> clock_ = std::make_shared<core::FakeClock>();
  const Secret current_ = *GenerateKey();
  const Secret previous_ = *GenerateKey();
  const Secret next_ = *GenerateKey();
};

TEST_F(VerifierTest, AcceptsTheKeysOfTheRing) {
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  EXPECT_EQ(Outcome(Sign(current_, kHeader, payload)), "current");
  EXPECT_EQ(Outcome(Sign(previous_, kHeader, payload)), "previous");
  EXPECT_EQ(Outcome(Sign(next_, kHeader, payload)), "next");
  EXPECT_EQ(Outcome(Sign(*GenerateKey(), kHeader, payload)), "bad_signature");
}

TEST_F(VerifierTest, GivesTheClaims) {
  const auto verified = Make().Verify(SignLive(R"("sub":"joe","n":[1,{"x":null}])"));
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->claims().subject(), "joe");
  EXPECT_EQ(verified->claims().Json("n"), R"([1,{"x":null}])");
  EXPECT_EQ(verified->claims().expires_at(), Time(seconds(kNow + 60)));
}

// The key identifier chooses the key, and nothing else.
TEST_F(VerifierTest, TakesTheKeyIdentifierForAnIndexAlone) {
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  const auto header = [](const std::string& id) {
    return R"({"alg":"HS256","kid":")" + id + "\"}";
  };
  EXPECT_EQ(Outcome(Sign(previous_, header(KeyId(previous_)), payload)), "previous");
  EXPECT_EQ(Outcome(Sign(previous_, header(KeyId(current_)), payload)), "bad_signature");
  // One of another's making is passed over.
  EXPECT_EQ(Outcome(Sign(next_, header("key-2026"), payload)), "next");
  EXPECT_EQ(Outcome(Sign(*GenerateKey(), header("key-2026"), payload)), "unknown_key");
  EXPECT_EQ(Outcome(Sign(current_, header("../../dev/null"), payload)), "current");
  EXPECT_EQ(Outcome(Sign(current_, header("' OR 1=1 --"), payload)), "current");
}

TEST_F(VerifierTest, NeverReadsWhereKeysAreSaidToBe) {
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  for (const char* member :
       {R"("jku":"http://127.0.0.1/k")", R"("x5u":"http://127.0.0.1/k")",
        R"("jwk":{"kty":"oct","k":"AAAA"})", R"("x5c":["AAAA"])", R"("jku":7)"}) {
    EXPECT_EQ(Outcome(Sign(current_, R"({"alg":"HS256",)" + std::string(member) + "}", payload)),
              "current");
  }
}

TEST_F(VerifierTest, LooksAtClaimsOfTheKeyThatSigned) {
  // Of the previous key and expired, so it is not "signed by nobody".
  const std::string token = Sign(previous_, kHeader, R"({"exp":)" + std::to_string(kNow - 1) + "}");
  const Verifier verifier = Make();
  EXPECT_EQ(Outcome(verifier, token), "expired");
  const VerifierStatistics statistics = verifier.statistics();
  EXPECT_EQ(statistics.rejected[static_cast<std::size_t>(Rejection::kExpired)]
                               [static_cast<std::size_t>(KeyRole::kPrevious)],
            1);
  EXPECT_EQ(statistics.Rejected(Rejection::kExpired), 1);
}

TEST_F(VerifierTest, CountsWhatEachKeyAccepted) {
  const Verifier verifier = Make();
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(verifier.Verify(Sign(current_, kHeader, payload)));
  EXPECT_TRUE(verifier.Verify(Sign(previous_, kHeader, payload)));
  EXPECT_FALSE(verifier.Verify("..."));
  EXPECT_FALSE(verifier.Verify(Sign(*GenerateKey(), kHeader, payload)));
  const VerifierStatistics statistics = verifier.statistics();
  EXPECT_EQ(statistics.Accepted(KeyRole::kCurrent), 3);
  EXPECT_EQ(statistics.Accepted(KeyRole::kPrevious), 1);
  EXPECT_EQ(statistics.Accepted(KeyRole::kNext), 0);
  EXPECT_EQ(statistics.Rejected(Rejection::kNotCompact), 1);
  EXPECT_EQ(statistics.Rejected(Rejection::kBadSignature), 1);
  EXPECT_EQ(statistics.refreshes, 0);
}

TEST_F(VerifierTest, RefusesShapesThatAreNone) {
  const std::string token = SignLive("");
  ASSERT_EQ(Outcome(token), "current");
  for (const std::string& other :
       {std::string(), std::string("."), std::string(".."), std::string("..."), "." + token,
        token + ".", token + ".x.y", token.substr(0, token.rfind('.')), "a" + std::string("..b"),
        std::string(R"({"payload":"e30","signatures":[]})")}) {
    EXPECT_EQ(Outcome(other), "not_compact") << other;
  }
  for (const std::string& other :
       {token + "=", token + "\n", " " + token, token + "%3d", "Bearer " + token,
        token.substr(0, token.size() - 2), std::string("a.b.c"),
        std::string("eyJhbGciOiJIUzI1NiJ9.e30.A===")}) {
    EXPECT_EQ(Outcome(other), "bad_base64") << other;
  }
  EXPECT_EQ(Outcome("e30.e30.e30"), "wrong_algorithm");
  EXPECT_EQ(Outcome("ZQ.e30.e30"), "bad_header");
}

TEST_F(VerifierTest, HasALimitOfSize) {
  const std::string large = SignLive(R"("x":")" + std::string(7000, 'x') + "\"");
  EXPECT_GT(large.size(), 8 * 1024);
  EXPECT_EQ(Outcome(large), "too_large");
  EXPECT_EQ(Outcome(Make().AcceptTokensUpTo(large.size()), large), "current");
  EXPECT_EQ(Outcome(std::string(1 << 20, 'a')), "too_large");
}

TEST_F(VerifierTest, HasOneAlgorithm) {
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"NONE"})", R"({"alg":"hs256"})",
                             R"({"alg":"HS256 "})", R"({"alg":"HS384"})", R"({"alg":"RS256"})",
                             R"({"alg":null})", R"({"alg":["HS256"]})", R"({"typ":"JWT"})"}) {
    EXPECT_EQ(Outcome(Sign(current_, header, payload)), "wrong_algorithm") << header;
  }
  EXPECT_EQ(Outcome(Sign(current_, R"({"\u0061lg":"\u0048S256"})", payload)), "current");
  const auto signer = Signer::With(*GenerateKey(Algorithm::kHs512), Algorithm::kHs512);
  EXPECT_EQ(Outcome(*signer->Sign({})), "wrong_algorithm");
}

TEST_F(VerifierTest, VerifiesWithTheLongerHashes) {
  for (const Algorithm algorithm : {Algorithm::kHs384, Algorithm::kHs512}) {
    const Secret key = *GenerateKey(algorithm);
    const auto signer = Signer::With(key.Share(), algorithm);
    const auto verifier = Verifier::With({.current = key.Share()}, algorithm);
    EXPECT_TRUE(verifier.Verify(*signer->Sign({})));
    EXPECT_FALSE(Verifier::With({.current = key.Share()}).Verify(*signer->Sign({})));
  }
}

TEST_F(VerifierTest, UnderstandsNoExtensions) {
  const std::string payload = R"({"exp":)" + std::to_string(kNow + 60) + "}";
  for (const char* member : {R"("crit":["exp"])", R"("crit":[])", R"("crit":null)",
                             R"("b64":false)", R"("zip":"DEF")", R"("cty":"JWT")"}) {
    EXPECT_EQ(Outcome(Sign(current_, R"({"alg":"HS256",)" + std::string(member) + "}", payload)),
              "unsupported_header");
  }
  for (const char* header : {R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"HS256","kid":1})",
                             R"({"alg":"HS256","typ":1})", "\xef\xbb\xbf{\"alg\":\"HS256\"}",
                             R"({"alg":"HS256"} )"
                             "x",
                             R"(["HS256"])"}) {
    EXPECT_EQ(Outcome(Sign(current_, header, payload)), "bad_header") << header;
  }
}

TEST_F(VerifierTest, RefusesPayloadsThatAreNoClaims) {
  for (const char* payload : {"[1]", "\"x\"", "1", R"({"exp":4102444800}x)",
                              R"({"exp":1,"exp":4102444800})", "{\"a\":\"\xff\"}", "foo"}) {
    EXPECT_EQ(Outcome(Sign(payload)), "bad_payload") << payload;
  }
  for (const char* member :
       {R"("nbf":"1")", R"("iat":"1")", R"("sub":1)", R"("iss":["a"])", R"("jti":1)", R"("aud":1)",
        R"("aud":["a",1])", R"("nbf":-1)", R"("iat":1e300)", R"("nbf":null)"}) {
    EXPECT_EQ(Outcome(SignLive(member)), "bad_claim") << member;
  }
  for (const char* end : {"true", "\"4102444800\"", "-1", "1e300", "9007199254740993"}) {
    EXPECT_EQ(Outcome(Sign(R"({"exp":)" + std::string(end) + "}")), "bad_claim") << end;
  }
}

TEST_F(VerifierTest, DemandsAnEnd) {
  EXPECT_EQ(Outcome(Sign("{}")), "missing_expiry");
  EXPECT_EQ(Outcome(Make().AcceptMissingExpiry(), Sign("{}")), "current");
}

TEST_F(VerifierTest, EndsATokenOnItsSecond) {
  const std::string token = Sign(R"({"exp":)" + std::to_string(kNow + 60) + "}");
  const Verifier verifier = Make();
  clock_->Advance(seconds(59));
  EXPECT_EQ(Outcome(verifier, token), "current");
  clock_->Advance(seconds(1));
  EXPECT_EQ(Outcome(verifier, token), "expired");
  const Verifier lenient = Make().Leeway(seconds(30));
  clock_->Advance(seconds(29));
  EXPECT_EQ(Outcome(lenient, token), "current");
  clock_->Advance(seconds(1));
  EXPECT_EQ(Outcome(lenient, token), "expired");
}

TEST_F(VerifierTest, EndsATokenWithAFractionBeforeIt) {
  EXPECT_EQ(Outcome(Sign(R"({"exp":1767225600.9})")), "expired");
  EXPECT_EQ(Outcome(Sign(R"({"exp":1.7672256609e9})")), "current");
  EXPECT_EQ(Outcome(SignLive(R"("nbf":1767225600.1)")), "not_yet_valid");
}

TEST_F(VerifierTest, WaitsForTheBeginning) {
  const std::string token = SignLive(R"("nbf":)" + std::to_string(kNow + 10));
  EXPECT_EQ(Outcome(token), "not_yet_valid");
  EXPECT_EQ(Outcome(Make().Leeway(seconds(9)), token), "not_yet_valid");
  EXPECT_EQ(Outcome(Make().Leeway(seconds(10)), token), "current");
  clock_->Advance(seconds(10));
  EXPECT_EQ(Outcome(token), "current");
}

TEST_F(VerifierTest, GrantsTheSignersClockAMinute) {
  const auto issued = [&](std::int64_t ahead) {
    return SignLive(R"("iat":)" + std::to_string(kNow + ahead));
  };
  EXPECT_EQ(Outcome(issued(60)), "current");
  EXPECT_EQ(Outcome(issued(61)), "issued_in_future");
  EXPECT_EQ(Outcome(Make().Leeway(seconds(61)), issued(61)), "current");
}

TEST_F(VerifierTest, BoundsTheLife) {
  const auto living = [&](std::int64_t issued_at, std::int64_t life) {
    return Sign(R"({"iat":)" + std::to_string(issued_at) + R"(,"exp":)" +
                std::to_string(issued_at + life) + "}");
  };
  EXPECT_EQ(Outcome(living(kNow, 1800)), "current");
  EXPECT_EQ(Outcome(living(kNow, 1801)), "lives_too_long");
  EXPECT_EQ(Outcome(living(kNow - 1000, 1801)), "lives_too_long");
  EXPECT_EQ(Outcome(Make().AcceptLifetimesUpTo(hours(1)), living(kNow, 3600)), "current");
  // Without a beginning, what is left of it counts.
  EXPECT_EQ(Outcome(Sign(R"({"exp":)" + std::to_string(kNow + 1800) + "}")), "current");
  EXPECT_EQ(Outcome(Sign(R"({"exp":)" + std::to_string(kNow + 1801) + "}")), "lives_too_long");
  for (const char* end : {"100000000000", "9007199254740992"}) {
    EXPECT_EQ(Outcome(Sign(R"({"exp":)" + std::string(end) + "}")), "lives_too_long") << end;
  }
  const Verifier boundless = Make().AcceptLifetimesUpTo(seconds::max()).Leeway(seconds::max());
  EXPECT_EQ(Outcome(boundless, Sign(R"({"exp":9007199254740992})")), "current");
}

TEST_F(VerifierTest, DemandsWhatItIsToldTo) {
  EXPECT_EQ(Outcome(Make().RequireIssuer("i"), SignLive(R"("iss":"i")")), "current");
  for (const char* other : {R"("iss":"I")", R"("iss":"ii")", R"("iss":"")", R"("sub":"i")"}) {
    EXPECT_EQ(Outcome(Make().RequireIssuer("i"), SignLive(other)), "wrong_issuer") << other;
  }
  EXPECT_EQ(Outcome(Make().RequireSubject("s"), SignLive(R"("sub":"s")")), "current");
  EXPECT_EQ(Outcome(Make().RequireSubject("s"), SignLive(R"("sub":"t")")), "wrong_subject");
  EXPECT_EQ(Outcome(Make().RequireSubject("s"), SignLive("")), "wrong_subject");
}

TEST_F(VerifierTest, IsForItsAudience) {
  const Verifier verifier = Make().RequireAudience("api");
  for (const char* mine : {R"("aud":"api")", R"("aud":["web","api"])"}) {
    EXPECT_EQ(Outcome(verifier, SignLive(mine)), "current") << mine;
    EXPECT_EQ(Outcome(SignLive(mine)), "wrong_audience") << mine;
    EXPECT_EQ(Outcome(Make().AcceptAnyAudience(), SignLive(mine)), "current") << mine;
  }
  for (const char* other : {R"("aud":"API")", R"("aud":["web"])", R"("aud":[])", R"("a":"api")"}) {
    EXPECT_EQ(Outcome(verifier, SignLive(other)), "wrong_audience") << other;
  }
}

TEST_F(VerifierTest, TellsKindsOfTokensApart) {
  const auto typed = [&](const std::string& type) {
    return Sign(current_, R"({"alg":"HS256","typ":")" + type + "\"}",
                R"({"exp":)" + std::to_string(kNow + 60) + "}");
  };
  const std::string untyped =
      Sign(current_, R"({"alg":"HS256"})", R"({"exp":)" + std::to_string(kNow + 60) + "}");
  EXPECT_EQ(Outcome(typed("JWT")), "current");
  EXPECT_EQ(Outcome(typed("application/jwt")), "current");
  EXPECT_EQ(Outcome(untyped), "current");
  EXPECT_EQ(Outcome(typed("refresh+jwt")), "wrong_type");
  EXPECT_EQ(Outcome(typed("")), "wrong_type");
  const Verifier access = Make().RequireType("at+jwt");
  EXPECT_EQ(Outcome(access, typed("at+jwt")), "current");
  EXPECT_EQ(Outcome(access, typed("Application/AT+JWT")), "current");
  EXPECT_EQ(Outcome(access, typed("JWT")), "wrong_type");
  EXPECT_EQ(Outcome(access, typed("text/at+jwt")), "wrong_type");
  EXPECT_EQ(Outcome(access, typed("application/x/at+jwt")), "wrong_type");
  EXPECT_EQ(Outcome(access, untyped), "wrong_type");
  EXPECT_EQ(Outcome(Make().AcceptAnyType(), typed("refresh+jwt")), "current");
}

TEST_F(VerifierTest, DoesNotUseAWeakKey) {
  const Secret weak = Secret::CopyOf("fake-weak-key");
  const std::string token = Sign(weak, kHeader, R"({"exp":)" + std::to_string(kNow + 60) + "}");
  const auto ring = [&] { return Keys{.current = current_.Share(), .previous = weak.Share()}; };
  const Verifier strict = Verifier::With(ring()).UseClock(clock_);
  EXPECT_EQ(Outcome(strict, token), "bad_signature");
  EXPECT_EQ(Outcome(strict, SignLive("")), "current");
  const auto checked = strict.Check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(checked.error().reason(), HasSubstr("SECRET_KEY_PREVIOUS has 13 bytes"));
  const Verifier legacy = Verifier::With(ring()).UseClock(clock_).AcceptWeakKeys();
  EXPECT_EQ(Outcome(legacy, token), "previous");
  EXPECT_TRUE(legacy.Check());
}

TEST_F(VerifierTest, ChecksTheRing) {
  EXPECT_TRUE(Make().Check());
  EXPECT_EQ(Verifier::With({}).Check().error().code(), ErrorCode::kNotSet);
  const auto none = Verifier::With({}).Verify(SignLive(""));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kNotSet);
  EXPECT_EQ(RejectionOf(none.error()), std::nullopt);
  const auto same = Verifier::With({.current = current_.Share(), .next = current_.Share()}).Check();
  ASSERT_FALSE(same);
  EXPECT_THAT(same.error().reason(), HasSubstr("SECRET_KEY_NEXT is the same as SECRET_KEY"));
  // An empty key is no key, and not one of no bytes.
  EXPECT_EQ(Outcome(Verifier::With({.current = current_.Share()}).AcceptWeakKeys(),
                    Sign(Secret(), kHeader, "{}")),
            "bad_signature");
}

TEST(UnverifiedToken, IsLookedAtWithoutAKey) {
  const auto signer = Signer::With(*GenerateKey());
  const auto token = UnverifiedToken::Read(*signer->Sign(ClaimsBuilder().Subject("joe")));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->unverified_claims().subject(), "joe");
  EXPECT_EQ(token->unverified_header().Text("alg"), "HS256");
  for (const auto& [text, reason] :
       {std::pair("a.b", Rejection::kNotCompact), std::pair("e30.e30.A", Rejection::kBadBase64),
        std::pair("ZQ.e30.AA", Rejection::kBadHeader),
        std::pair("e30.ZQ.AA", Rejection::kBadPayload)}) {
    const auto refused = UnverifiedToken::Read(text);
    ASSERT_FALSE(refused);
    EXPECT_EQ(RejectionOf(refused.error()), reason);
  }
}

TEST(Rejection, HasACodeEach) {
  std::string codes;
  for (std::size_t i = 0; i < kRejections; ++i) {
    codes += std::string(ToString(static_cast<Rejection>(i))) + " ";
  }
  EXPECT_EQ(codes,
            "too_large not_compact bad_base64 bad_header wrong_algorithm unsupported_header "
            "unknown_key bad_signature wrong_type bad_payload bad_claim missing_expiry expired "
            "not_yet_valid issued_in_future lives_too_long wrong_issuer wrong_audience "
            "wrong_subject ");
}

}  // namespace
}  // namespace qarion::secrets::jwt
