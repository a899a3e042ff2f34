// UTF-8 (RFC 3629), as far as the library looks into text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

bool IsAscii(std::string_view text) noexcept;

// Offset of the first byte that does not belong to well-formed UTF-8, or nothing.
std::optional<std::size_t> FindInvalidUtf8(std::string_view text) noexcept;

// Length in bytes of the white space character at `offset`, 0 where there is none. White space is
// what Unicode-aware regular expressions take for it: Python's \s.
std::size_t WhiteSpaceLength(std::string_view text, std::size_t offset) noexcept;

struct Character {
  char32_t code_point;
  std::size_t length;  // in bytes
};

// The character at `offset` of well-formed text.
Character CharacterAt(std::string_view text, std::size_t offset) noexcept;

// Appends a character. Half of a surrogate pair comes out as three bytes that are not UTF-8.
void AppendCharacter(char32_t code_point, std::string& text);

// Number of characters in well-formed text.
std::size_t CountCharacters(std::string_view text) noexcept;

}  // namespace qarion::secrets::core
