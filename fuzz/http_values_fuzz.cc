// Any bytes as a duration, as a date and as `Retry-After`.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/duration.h"
#include "net/http_date.h"
#include "require.h"

namespace net = qarion::secrets::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = net::ParseDuration(text)) {
    // A sign turns it round, and there can be one only.
    const bool has_sign = text.starts_with('-') || text.starts_with('+');
    const auto opposite = net::ParseDuration("-" + std::string(has_sign ? text.substr(1) : text));
    Require(opposite && *opposite == (text.starts_with('-') ? *duration : -*duration));
  }
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'600)};
  constexpr std::chrono::seconds kLongest{30};
  if (const auto pause = net::ParseRetryAfter(text, now, kLongest)) {
    Require(*pause >= std::chrono::seconds(0) && *pause <= kLongest);
  }
  return 0;
}
