// The escapes of strings in JSON (RFC 8259, 7), which are those of names in JSONPath (RFC 9535,
// 2.3.1.1) too.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

struct JsonEscape {
  char32_t code_point;  // of two escapes that are a surrogate pair: what they stand for together
  std::size_t length;   // in bytes, with the backslash
  bool IsHalfPair() const noexcept { return code_point >= 0xd800 && code_point < 0xe000; }
};

// The escape at the beginning of `text`, a backslash, in a string within `quote`. Nothing where it
// is none. Half of a surrogate pair is what the grammar allows.
std::optional<JsonEscape> ReadJsonEscape(std::string_view text, char quote = '"') noexcept;

// Number of bytes at the beginning of `text` that stand in a string as they are: up to a quote, a
// backslash or a control character.
std::size_t PlainJsonLength(std::string_view text) noexcept;

// Appends what the inside of a string says, whose escapes are what ReadJsonEscape() reads. Returns
// whether half of a surrogate pair was in it, which comes out as bytes that are not UTF-8.
bool AppendJsonUnescaped(std::string_view inside, std::string& out);

// The text as a string of JSON, in quotes.
std::string QuotedJson(std::string_view text);
void AppendQuotedJson(std::string_view text, std::string& out);

}  // namespace qarion::secrets::core
