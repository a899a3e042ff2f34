#include "crypto/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/secret_memory.h"
#include "crypto/sha256.h"

namespace qarion::secrets::crypto {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds kSigningTime =
    std::chrono::sys_days(2015y / 8 / 30) + 12h + 36min;
constexpr char kSecretKey[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr char kSessionToken[] = "fake-session-token//+==";

SigningCredentials Credentials(std::string_view token = {}) {
  return {.access_key_id = "AKIDEXAMPLE",
          .secret_access_key = Secret::CopyOf(kSecretKey),
          .session_token = Secret::CopyOf(token)};
}

CredentialScope Scope() { return {.region = "us-east-1", .service = "iam"}; }

SigningRequest Request() {
  return {.method = "POST",
          .path = "/",
          .query = "Action=ListUsers",
          .headers = {{"Host", "iam.amazonaws.com"}},
          .payload = "{}"};
}

std::string_view ValueOf(const HeaderSignature& signed_request, std::string_view name) {
  for (const AddedHeader& header : signed_request.headers) {
    if (header.name == name) return header.value.Reveal();
  }
  return {};
}

// AWS General Reference, "Examples of how to derive a signing key for Signature Version 4".
TEST(SigningKey, IsTheOneOfTheDocumentation) {
  const auto key = DeriveSigningKey(Secret::CopyOf(kSecretKey), Scope(), kSigningTime);
  ASSERT_TRUE(key);
  std::string bytes;
  for (const int byte : {0xc4, 0xaf, 0xb1, 0xcc, 0x57, 0x71, 0xd8, 0x71, 0x76, 0x3a, 0x39,
                         0x3e, 0x44, 0xb7, 0x03, 0x57, 0x1b, 0x55, 0xcc, 0x28, 0x42, 0x4d,
                         0x1a, 0x5e, 0x86, 0xda, 0x6e, 0xd3, 0xc1, 0x54, 0xa4, 0xb9}) {
    bytes += static_cast<char>(byte);
  }
  EXPECT_TRUE(key->ConstantTimeEquals(bytes));
}

TEST(SigningKey, IsTheSameFromMidnightToMidnight) {
  const Secret secret = Secret::CopyOf(kSecretKey);
  const std::chrono::sys_seconds midnight = std::chrono::sys_days(2015y / 8 / 30);
  const auto first = DeriveSigningKey(secret, Scope(), midnight);
  EXPECT_TRUE(first->ConstantTimeEquals(*DeriveSigningKey(secret, Scope(), midnight + 24h - 1s)));
  EXPECT_FALSE(first->ConstantTimeEquals(*DeriveSigningKey(secret, Scope(), midnight - 1s)));
  EXPECT_FALSE(first->ConstantTimeEquals(*DeriveSigningKey(secret, Scope(), midnight + 24h)));
}

// All that a signature shows: of both forms.
std::string ShownBy(const SigningCredentials& credentials) {
  const auto in_headers = SignWithHeaders(Request(), credentials, Scope(), kSigningTime);
  const auto in_query = SignWithQuery(Request(), credentials, Scope(), kSigningTime, 60s);
  std::string shown;
  for (const Signature* signature : {&in_headers->signature, &in_query->signature}) {
    shown += signature->canonical_request.Reveal();
    shown += signature->string_to_sign + signature->hex;
  }
  for (const AddedHeader& header : in_headers->headers) shown += header.value.Reveal();
  shown += in_query->query.Reveal();
  return shown;
}

TEST(Signature, ShowsNeitherTheSecretKeyNorAKeyDerivedFromIt) {
  const std::string shown = ShownBy(Credentials(kSessionToken));
  EXPECT_EQ(shown.find(kSecretKey), std::string::npos);
  Secret key = Secret::CopyOf(std::string("AWS4") + kSecretKey);
  for (const char* data : {"20150830", "us-east-1", "iam", "aws4_request"}) {
    const auto hex = HmacSha256(key.Reveal(), data);
    key = *DeriveHmacSha256Key(key.Reveal(), data);
    EXPECT_EQ(shown.find(key.Reveal()), std::string::npos) << data;
    EXPECT_EQ(shown.find(LowerHex(*hex)), std::string::npos) << data;
  }
}

TEST(CanonicalRequest, HasTheSessionTokenInItsOwnLineOnly) {
  const auto made = SignWithHeaders(Request(), Credentials(kSessionToken), Scope(), kSigningTime);
  std::string text(made->signature.canonical_request.Reveal());
  const std::string line = std::string("\nx-amz-security-token:") + kSessionToken + "\n";
  ASSERT_NE(text.find(line), std::string::npos);
  text.erase(text.find(line), line.size());
  EXPECT_EQ(text.find(kSessionToken), std::string::npos);
}

TEST(Signature, LeavesNoSecretMemoryBehind) {
  static_cast<void>(ShownBy(Credentials(kSessionToken)));
  const std::size_t before = core::GetSecretMemoryStatus().in_use_bytes;
  static_cast<void>(ShownBy(Credentials(kSessionToken)));
  EXPECT_EQ(core::GetSecretMemoryStatus().in_use_bytes, before);
}

TEST(HeaderForm, SendsAnUnsignedTokenNevertheless) {
  const auto made = SignWithHeaders(Request(), Credentials(kSessionToken), Scope(), kSigningTime,
                                    {.sign_session_token = false});
  EXPECT_EQ(ValueOf(*made, "X-Amz-Security-Token"), kSessionToken);
  EXPECT_EQ(made->signature.hex,
            SignWithHeaders(Request(), Credentials(), Scope(), kSigningTime)->signature.hex);
}

TEST(HeaderForm, AddsThePayloadHashWhereAskedFor) {
  const auto without = SignWithHeaders(Request(), Credentials(), Scope(), kSigningTime);
  const auto with =
      SignWithHeaders(Request(), Credentials(), Scope(), kSigningTime, {.add_payload_hash = true});
  EXPECT_EQ(ValueOf(*without, "x-amz-content-sha256"), "");
  EXPECT_EQ(ValueOf(*with, "x-amz-content-sha256"), LowerHex(*Sha256("{}")));
  EXPECT_NE(ValueOf(*with, "Authorization").find(";x-amz-content-sha256;"), std::string::npos);
}

TEST(QueryForm, KeepsTheQueryItWasGiven) {
  const auto made = SignWithQuery(Request(), Credentials(), Scope(), kSigningTime, 60s);
  EXPECT_TRUE(made->query.Reveal().starts_with("Action=ListUsers&X-Amz-Algorithm="));
  EXPECT_TRUE(made->query.Reveal().ends_with("&X-Amz-Signature=" + made->signature.hex));
}

TEST(QueryForm, LivesForAWeekAtMost) {
  const auto lives = [](std::chrono::seconds lifetime) {
    return SignWithQuery(Request(), Credentials(), Scope(), kSigningTime, lifetime).has_value();
  };
  EXPECT_TRUE(lives(1s) && lives(168h));
  EXPECT_FALSE(lives(0s) || lives(-1s) || lives(168h + 1s));
}

TEST(Signing, RefusesARequestThatIsSignedAlready) {
  for (const char* name : {"authorization", "X-AMZ-Date", "x-amz-security-token"}) {
    SigningRequest request = Request();
    request.headers.push_back({name, "x"});
    const auto made = SignWithHeaders(request, Credentials(), Scope(), kSigningTime);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code(), ErrorCode::kInternal);
    EXPECT_FALSE(SignWithQuery(request, Credentials(), Scope(), kSigningTime, 60s)) << name;
  }
}

TEST(Signing, RefusesASecondPayloadHash) {
  SigningRequest request = Request();
  request.headers.push_back({"X-Amz-Content-SHA256", "x"});
  EXPECT_FALSE(
      SignWithHeaders(request, Credentials(), Scope(), kSigningTime, {.add_payload_hash = true}));
  EXPECT_TRUE(SignWithHeaders(request, Credentials(), Scope(), kSigningTime));
}

TEST(Signing, RefusesYearsThatHaveNotFourDigits) {
  const auto signs_at = [](std::chrono::sys_seconds time) {
    return SignWithHeaders(Request(), Credentials(), Scope(), time).has_value() &&
           DeriveSigningKey(Secret::CopyOf(kSecretKey), Scope(), time).has_value();
  };
  EXPECT_TRUE(signs_at(std::chrono::sys_days(9999y / 12 / 31) + 24h - 1s));
  EXPECT_FALSE(signs_at(std::chrono::sys_days(9999y / 12 / 31) + 24h));
  EXPECT_FALSE(signs_at(std::chrono::sys_days(999y / 12 / 31)));
}

// Changes one part of what identifies the signer and returns the error.
template <typename Change>
Error ErrorAfter(Change change) {
  SigningCredentials credentials = Credentials(kSessionToken);
  CredentialScope scope = Scope();
  change(credentials, scope);
  const auto made = SignWithHeaders(Request(), credentials, scope, kSigningTime);
  return made ? Error(ErrorCode::kInternal, "it was signed") : made.error();
}

TEST(Signing, RefusesCredentialsThatCannotBeSent) {
  const auto text = [](auto change) { return ErrorAfter(change).reason(); };
  using C = SigningCredentials;
  using S = CredentialScope;
  EXPECT_THAT(text([](C& c, S&) { c.access_key_id = ""; }), testing::HasSubstr("access key id"));
  EXPECT_THAT(text([](C& c, S&) { c.access_key_id = "a/b"; }), testing::HasSubstr("access key id"));
  EXPECT_THAT(text([](C& c, S&) { c.secret_access_key = {}; }), testing::HasSubstr("secret"));
  EXPECT_THAT(text([](C& c, S&) { c.session_token = Secret::CopyOf("fake\r\nx"); }),
              testing::AllOf(testing::HasSubstr("session token"),
                             testing::Not(testing::HasSubstr("fake"))));
  EXPECT_THAT(text([](C&, S& s) { s.region = ""; }), testing::HasSubstr("region"));
  EXPECT_THAT(text([](C&, S& s) { s.region = "EU-central-1"; }), testing::HasSubstr("region"));
  EXPECT_THAT(text([](C&, S& s) { s.region = "a\nb"; }), testing::HasSubstr("region"));
  EXPECT_THAT(text([](C&, S& s) { s.service = "a,b"; }), testing::HasSubstr("signing name"));
}

TEST(Signing, CallsWrongCredentialsAMatterOfConfiguration) {
  const Error error = ErrorAfter([](auto& credentials, auto&) { credentials.access_key_id = ""; });
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
}

}  // namespace
}  // namespace qarion::secrets::crypto
