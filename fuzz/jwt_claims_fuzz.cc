// The payload of a JSON Web Token that is signed as it should be: where it is accepted, another
// reader finds the same claims in it, and times that are in order.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "jwt_signed.h"
#include "require.h"

namespace core = qarion::secrets::core;
namespace jwt = qarion::secrets::jwt;

namespace {

using jwt_fuzz::kNow;

constexpr std::int64_t kLongestLife = 30 * 60;
constexpr std::int64_t kSkew = 60;

// Times of whole seconds; the other reader has no others.
void RequireInOrder(const core::JsonValue& claims) {
  Require(claims["exp"].IsNumber());
  const auto expires_at = claims["exp"].Integer();
  const auto issued_at = claims["iat"].Integer();
  const auto not_before = claims["nbf"].Integer();
  for (const char* name : {"iat", "nbf"}) {
    Require(!claims[name].exists() || claims[name].IsNumber());
  }
  if (expires_at) Require(*expires_at > kNow && *expires_at <= kNow + kSkew + kLongestLife);
  if (issued_at) Require(*issued_at >= 0 && *issued_at <= kNow + kSkew);
  if (not_before) Require(*not_before >= 0 && *not_before <= kNow);
  if (expires_at && issued_at) Require(*expires_at - *issued_at <= kLongestLife);
  if (expires_at && !claims["iat"].exists()) Require(*expires_at - kNow <= kLongestLife);
}

void RequireAlike(const jwt::Claims& claims, const core::JsonValue& others) {
  const auto names = claims.names();
  Require(names.size() == others.Names().size());
  for (const std::string_view name : names) {
    Require(others[name].exists());
    Require(claims.Text(name) == others[name].Text());
    Require(claims.Bool(name) == others[name].Bool());
    if (others[name].Integer()) Require(claims.Number(name).has_value());
  }
  for (const char* name : {"iss", "sub", "jti"}) {
    Require(!others[name].exists() || others[name].Text());
  }
  Require(!others["aud"].exists());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  const auto verified =
      jwt_fuzz::Verifier().Verify(jwt_fuzz::Signed(R"({"alg":"HS256"})", payload));
  if (!verified) {
    Require(jwt::RejectionOf(verified.error()) != jwt::Rejection::kBadSignature);
    return 0;
  }
  Require(verified->claims().json() == payload);
  const auto document = core::JsonDocument::Parse(payload, "payload");
  if (!document) {
    Require(document.error().reason().find("exponent") != std::string::npos);
    return 0;
  }
  Require(document->root().IsObject());
  RequireInOrder(document->root());
  RequireAlike(verified->claims(), document->root());
  return 0;
}
