// Times in answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// Reads a date and time of day with a zone (RFC 3339): 2026-11-23T15:10:37.012392Z, or +02:00; with
// t and z, or a blank in the place of T, as section 5.6 allows; and +0200 as ISO 8601 has it.
// Nothing where the text is none, or before 1970. What is after 2250, such as the year 9999 for
// what never ends, becomes the end of that year: the clock ends in 2262.
std::optional<std::chrono::system_clock::time_point> ParseTime(std::string_view text);

// Writes one in UTC, to the second: 2026-11-23T15:10:37Z.
std::string FormatTime(std::chrono::sys_seconds time);

}  // namespace qarion::secrets::core
