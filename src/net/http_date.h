// Times in HTTP headers.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace qarion::secrets::net {

// Reads a date as RFC 9110, 5.6.7 has it, in its present form and in the two obsolete ones. Nothing
// where the text is none, or longer than any date.
std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text);

// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date that is held against `now`. Not less
// than nothing and not more than `longest`, because what a server asks for is not an order. Nothing
// where the text is neither.
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view text,
                                                    std::chrono::system_clock::time_point now,
                                                    std::chrono::seconds longest);

}  // namespace qarion::secrets::net
