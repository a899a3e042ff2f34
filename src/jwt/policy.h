// What a verifier demands of what a token says, once its signature is known to be right.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jwt/json_object.h"
#include "qarion/secrets/jwt_signer.h"
#include "qarion/secrets/jwt_verifier.h"

namespace qarion::secrets::jwt {

// How far the clock of whoever signed may be ahead: `iat` says when, not from when on.
inline constexpr std::chrono::seconds kClockSkew{60};

struct Policy {
  std::optional<std::string> issuer = {};
  std::optional<std::string> audience = {};
  std::optional<std::string> subject = {};
  std::optional<std::string> type = {};
  std::chrono::seconds leeway{0};
  std::chrono::seconds longest_life = kDefaultLifetime;
  bool accepts_missing_expiry = false;
  bool accepts_any_audience = false;
  bool accepts_any_type = false;

  // `type`: of the header, where it is there.
  bool AcceptsType(std::optional<std::string_view> given) const;

  // Nothing where the claims are in order. `now` in seconds since 1970.
  std::optional<Rejection> Judge(const JsonObject& claims, std::int64_t now) const;
};

}  // namespace qarion::secrets::jwt
