// Bytes and characters as numbers, for encoders.
#pragma once

#include <cstddef>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::scrub {

inline constexpr std::string_view kLowerDigits = "0123456789abcdef";
inline constexpr std::string_view kUpperDigits = "0123456789ABCDEF";

// Appends two digits for each byte, with `before` before each pair; `before` is short.
inline void AppendHexPairs(std::string_view bytes, std::string_view before, std::string_view digits,
                           SecretBuffer& out) {
  const std::size_t size = bytes.size() * (before.size() + 2);
  char* to = out.Spare(size);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    for (const char mark : before) *to++ = mark;
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 0xf];
  }
  out.Grow(size);
}

// Appends at least `width` digits.
inline void AppendNumber(char32_t number, unsigned base, std::size_t width, std::string_view digits,
                         SecretBuffer& out) {
  if (number >= base || width > 1) {
    AppendNumber(number / base, base, width > 1 ? width - 1 : 1, digits, out);
  }
  out.Append(digits[number % base]);
}

// Calls `append` with each of the units of a character in UTF-16 (RFC 2781, 2.1): one, or two that
// are a surrogate pair.
template <typename Append>
void ForEachUtf16Unit(char32_t code_point, Append append) {
  if (code_point < 0x10000) {
    append(code_point);
  } else {
    append(0xd800 + ((code_point - 0x10000) >> 10));
    append(0xdc00 + ((code_point - 0x10000) & 0x3ff));
  }
}

}  // namespace qarion::secrets::scrub
