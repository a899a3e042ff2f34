#include "core/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace qarion::secrets::core {
namespace {

std::uint8_t ByteAt(std::string_view text, std::size_t offset) {
  return offset < text.size() ? static_cast<std::uint8_t>(text[offset]) : 0;
}

bool Between(std::uint8_t byte, unsigned low, unsigned high) { return byte >= low && byte <= high; }

// Length of the well-formed sequence at `offset`, 0 where there is none. RFC 3629, section 4.
std::size_t SequenceLength(std::string_view text, std::size_t offset) {
  const std::uint8_t first = ByteAt(text, offset);
  const std::uint8_t second = ByteAt(text, offset + 1);
  const bool third = Between(ByteAt(text, offset + 2), 0x80, 0xbf);
  const bool fourth = Between(ByteAt(text, offset + 3), 0x80, 0xbf);
  if (first < 0x80) return 1;
  if (Between(first, 0xc2, 0xdf)) return Between(second, 0x80, 0xbf) ? 2 : 0;
  if (Between(first, 0xe0, 0xef)) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return Between(second, low, high) && third ? 3 : 0;
  }
  if (Between(first, 0xf0, 0xf4)) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return Between(second, low, high) && third && fourth ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsAscii(std::string_view text) noexcept {
  std::uint64_t all = 0;
  std::uint64_t bytes = 0;
  for (; text.size() >= sizeof bytes; text.remove_prefix(sizeof bytes)) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    all |= bytes;
  }
  bytes = 0;
  std::memcpy(&bytes, text.data(), text.size());
  return ((all | bytes) & 0x8080'8080'8080'8080) == 0;
}

std::optional<std::size_t> FindInvalidUtf8(std::string_view text) noexcept {
  for (std::size_t offset = 0; offset < text.size();) {
    // Most of most texts is ASCII.
    std::uint64_t bytes = 0;
    if (text.size() - offset >= sizeof bytes) {
      std::memcpy(&bytes, text.data() + offset, sizeof bytes);
      if ((bytes & 0x8080'8080'8080'8080) == 0) {
        offset += sizeof bytes;
        continue;
      }
    }
    const std::size_t length = SequenceLength(text, offset);
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

std::size_t WhiteSpaceLength(std::string_view text, std::size_t offset) noexcept {
  if (offset >= text.size()) return 0;
  const std::uint8_t first = ByteAt(text, offset);
  if (first < 0x80) {
    return first == ' ' || Between(first, 0x09, 0x0d) || Between(first, 0x1c, 0x1f) ? 1 : 0;
  }
  const std::string_view rest = text.substr(offset);
  if (rest.starts_with("\u0085") || rest.starts_with("\u00a0")) return 2;
  for (const std::string_view space :
       {"\u1680", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}) {
    if (rest.starts_with(space)) return 3;
  }
  const bool general_punctuation = first == 0xe2 && ByteAt(text, offset + 1) == 0x80;
  return general_punctuation && Between(ByteAt(text, offset + 2), 0x80, 0x8a) ? 3 : 0;
}

Character CharacterAt(std::string_view text, std::size_t offset) noexcept {
  const std::size_t length = SequenceLength(text, offset);
  const std::uint8_t first = ByteAt(text, offset);
  if (length <= 1) return {first, 1};
  char32_t code_point = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    code_point = code_point << 6 | (ByteAt(text, offset + i) & 0x3fu);
  }
  return {code_point, length};
}

void AppendCharacter(char32_t code_point, std::string& text) {
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
    return;
  }
  const int more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;  // bytes after the first
  const char32_t marker = 0xff00u >> (more + 1) & 0xffu;
  text += static_cast<char>(marker | code_point >> (6 * more));
  for (int i = more - 1; i >= 0; --i) {
    text += static_cast<char>(0x80u | (code_point >> (6 * i) & 0x3fu));
  }
}

std::size_t CountCharacters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace qarion::secrets::core
