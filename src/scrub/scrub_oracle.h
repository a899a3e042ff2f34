// What a scrubber has to answer, in a way that is obviously right and slow.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::scrub {

// Marks the bytes of every occurrence of literal values.
inline void MarkValues(std::span<const std::string> values, std::string_view text,
                       std::vector<bool>& covered) {
  for (const std::string& value : values) {
    if (value.empty()) continue;
    for (std::size_t begin = 0; begin + value.size() <= text.size(); ++begin) {
      if (text.substr(begin, value.size()) != value) continue;
      for (std::size_t i = 0; i < value.size(); ++i) covered[begin + i] = true;
    }
  }
}

// Writes one mask for each run of marked bytes.
inline std::string Masked(std::string_view text, const std::vector<bool>& covered) {
  std::string scrubbed;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!covered[i]) {
      scrubbed += text[i];
    } else if (i == 0 || !covered[i - 1]) {
      scrubbed += kMask;
    }
  }
  return scrubbed;
}

inline std::string OracleScrub(std::span<const std::string> values, std::string_view text) {
  std::vector<bool> covered(text.size());
  MarkValues(values, text, covered);
  return Masked(text, covered);
}

// The number of bytes at the end of `text` that are the beginning of a value, but not all of it.
inline std::size_t OraclePending(std::span<const std::string> values, std::string_view text) {
  std::size_t pending = 0;
  for (const std::string& value : values) {
    for (std::size_t length = 1; length < value.size() && length <= text.size(); ++length) {
      if (!text.ends_with(std::string_view(value).substr(0, length))) continue;
      if (length > pending) pending = length;
    }
  }
  return pending;
}

}  // namespace qarion::secrets::scrub
