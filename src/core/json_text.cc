#define QARION_COMPILES_BOOST_JSON
#include "core/json_text.h"

#include <algorithm>

#include "core/secret_memory.h"

namespace qarion::secrets::core {

std::string ExplainJsonError(const json::error_code& error, std::string_view text,
                             std::size_t consumed) {
  if (error == json::error::incomplete) return "the JSON text ends too early";
  if (error == json::error::extra_data) return "more text follows the end of the JSON value";
  if (error == json::error::too_deep) {
    return "values are nested deeper than " + std::to_string(kMaxJsonDepth);
  }
  if (error == json::error::exponent_overflow) return "a number's exponent is too large";
  if (error == json::error::expected_hex_digit)
    return "\\u is not followed by four hexadecimal digits";
  if (error == json::error::illegal_leading_surrogate ||
      error == json::error::illegal_trailing_surrogate) {
    return "a \\u escape is one half of a surrogate pair";
  }
  if (consumed < text.size() && static_cast<unsigned char>(text[consumed]) >= 0x80) {
    return "not UTF-8, or a character that JSON has in strings only";
  }
  return "not valid JSON";
}

std::string JsonPosition(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::string_view in_line =
      newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto column = 1 + std::count_if(in_line.begin(), in_line.end(), [](char c) {
                        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                      });
  return ", line " + std::to_string(line) + ", column " + std::to_string(column);
}

[[gnu::noinline]] void WipeJsonStack() {
  char dead[192 * 1024];  // 32 frames of some 4 KiB, and what they call
  Wipe(dead, sizeof dead);
}

}  // namespace qarion::secrets::core
