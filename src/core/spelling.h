// "Did you mean ...?"
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// Number of single-byte insertions, deletions, replacements and swaps of neighbours that turn `a`
// into `b` (optimal string alignment).
std::size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that `text` is most likely a misspelling of, in any letter case; nothing where none
// is near.
std::optional<std::string_view> Nearest(std::string_view text,
                                        std::span<const std::string> candidates);

}  // namespace qarion::secrets::core
