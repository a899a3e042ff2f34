// Text of protocols, which knows no language.
#pragma once

#include <algorithm>
#include <string_view>

namespace qarion::secrets::core {

constexpr char AsciiLower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool IsLetterOrDigit(char c) noexcept {
  return IsDigit(c) || (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z');
}

constexpr bool IsControl(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Whether all of it can be seen: neither white space nor control characters, nor beyond ASCII.
constexpr bool IsVisible(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// Whether they are the same but for the case of their letters.
constexpr bool EqualsIgnoringCase(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, AsciiLower, AsciiLower);
}

// Without the characters of `white` at its ends.
constexpr std::string_view Trimmed(std::string_view text,
                                   std::string_view white = " \t\r\n") noexcept {
  const std::size_t begin = text.find_first_not_of(white);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(white) - begin + 1);
}

}  // namespace qarion::secrets::core
