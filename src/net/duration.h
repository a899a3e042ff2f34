// Durations as the official clients of remote backends take them: `90`, `1h30m`, `250ms`.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace qarion::secrets::net {

// Reads what Go's time.ParseDuration reads: decimal numbers, each with a unit of ns, us (or µs),
// ms, s, m or h, such as `1h30m` or `1.5h`, with an optional sign; digits alone are seconds. Parts
// of a nanosecond are cut off. Nothing where the text is not a duration or is longer than 290
// years.
std::optional<std::chrono::nanoseconds> ParseDuration(std::string_view text);

}  // namespace qarion::secrets::net
