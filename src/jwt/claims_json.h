// Claims with their text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jwt/json_object.h"
#include "qarion/secrets/jwt_claims.h"

namespace qarion::secrets::jwt {

class Claims::Impl {
 public:
  std::string json;
  JsonObject object;  // views into `json`
};

// The last second of a NumericDate that is accepted: a double has each one up to here, and sums do
// not overflow.
inline constexpr std::chrono::seconds kLastDate{std::int64_t{1} << 53};

inline std::int64_t SecondsOf(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// Times as a NumericDate has them, for which the clock has no room: "the number of seconds from
// 1970-01-01T00:00:00Z UTC until the specified UTC date/time" (RFC 7519, 2). Nothing where it is no
// number from 0 up to 2^53.
struct NumericDate {
  std::int64_t seconds;
  bool has_fraction;
  std::int64_t RoundedUp() const noexcept { return has_fraction ? seconds + 1 : seconds; }
};
std::optional<NumericDate> NumericDateOf(const JsonMember& member) noexcept;

}  // namespace qarion::secrets::jwt
