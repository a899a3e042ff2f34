#include "core/json_escape.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/ascii.h"
#include "core/utf8.h"

namespace qarion::secrets::core {
namespace {

constexpr std::size_t kUnicodeEscapeLength = 6;  // \u0067

std::optional<char32_t> ReadUnicodeEscape(std::string_view text) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() < kUnicodeEscapeLength || !text.starts_with("\\u")) return std::nullopt;
  char32_t value = 0;
  for (const char c : text.substr(2, 4)) {
    const std::size_t digit = kDigits.find(AsciiLower(c));
    if (digit == kDigits.npos) return std::nullopt;
    value = value << 4 | static_cast<char32_t>(digit);
  }
  return value;
}

constexpr std::uint64_t EveryByte(unsigned char byte) { return byte * (~std::uint64_t{0} / 0xff); }

// Whether one of eight bytes is below `limit`, at most 0x80. Sean Anderson, "Bit Twiddling Hacks".
constexpr bool HasLess(std::uint64_t bytes, unsigned char limit) {
  return ((bytes - EveryByte(limit)) & ~bytes & EveryByte(0x80)) != 0;
}

constexpr bool IsPlain(char c) {
  return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

}  // namespace

std::size_t PlainJsonLength(std::string_view text) noexcept {
  std::size_t length = 0;
  for (std::uint64_t bytes = 0; text.size() - length >= sizeof bytes; length += sizeof bytes) {
    std::memcpy(&bytes, text.data() + length, sizeof bytes);
    if (HasLess(bytes, 0x20) || HasLess(bytes ^ EveryByte('"'), 1) ||
        HasLess(bytes ^ EveryByte('\\'), 1)) {
      break;
    }
  }
  while (length < text.size() && IsPlain(text[length])) ++length;
  return length;
}

std::optional<JsonEscape> ReadJsonEscape(std::string_view text, char quote) noexcept {
  constexpr std::string_view kNames = "bfnrt/\\";
  constexpr std::string_view kMeanings = "\b\f\n\r\t/\\";
  if (text.size() < 2) return std::nullopt;
  if (text[1] == quote) return JsonEscape{static_cast<unsigned char>(quote), 2};
  if (const std::size_t found = kNames.find(text[1]); found != kNames.npos) {
    return JsonEscape{static_cast<unsigned char>(kMeanings[found]), 2};
  }
  const auto first = ReadUnicodeEscape(text);
  if (!first) return std::nullopt;
  if (*first >= 0xd800 && *first < 0xdc00) {
    const auto second = ReadUnicodeEscape(text.substr(kUnicodeEscapeLength));
    if (second && *second >= 0xdc00 && *second < 0xe000) {
      return JsonEscape{0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00),
                        2 * kUnicodeEscapeLength};
    }
  }
  return JsonEscape{*first, kUnicodeEscapeLength};
}

bool AppendJsonUnescaped(std::string_view inside, std::string& out) {
  bool has_half_pair = false;
  while (!inside.empty()) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    out += inside.substr(0, plain);
    inside.remove_prefix(plain);
    const auto escape = ReadJsonEscape(inside);
    if (!escape) break;
    has_half_pair = has_half_pair || escape->IsHalfPair();
    AppendCharacter(escape->code_point, out);
    inside.remove_prefix(escape->length);
  }
  return has_half_pair;
}

std::string QuotedJson(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  AppendQuotedJson(text, quoted);
  return quoted;
}

void AppendQuotedJson(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  while (true) {
    const std::size_t plain = PlainJsonLength(text);
    out += text.substr(0, plain);
    if (plain == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[plain]);
    if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xf];
    } else {
      out += '\\';
      out += text[plain];
    }
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

}  // namespace qarion::secrets::core
