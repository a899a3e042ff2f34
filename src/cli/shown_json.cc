#include "cli/shown_json.h"

#include <cstddef>

#include "core/utf8.h"

namespace qarion::secrets::cli {
namespace {

// DEL and C1, and what is invisible or turns the writing round.
bool IsHidden(char32_t c) {
  return (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

// One of the Basic Multilingual Plane.
void AppendEscape(char32_t c, std::string& shown) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  shown += "\\u";
  for (const int shift : {12, 8, 4, 0}) shown += kHexDigits[(c >> shift) & 15];
}

// Appends the string that begins at `start` and returns its end.
std::size_t AppendString(std::string_view json, std::size_t start, std::string& shown) {
  std::size_t i = start;
  shown += json[i++];
  while (json[i] != '"') {
    if (json[i] == '\\') shown += json[i++];
    const core::Character c = core::CharacterAt(json, i);
    if (IsHidden(c.code_point)) {
      AppendEscape(c.code_point, shown);
    } else {
      shown += json.substr(i, c.length);
    }
    i += c.length;
  }
  shown += json[i++];
  return i;
}

std::size_t SkipBlanks(std::string_view json, std::size_t i) {
  while (i < json.size() && std::string_view(" \t\r\n").find(json[i]) != std::string::npos) ++i;
  return i;
}

}  // namespace

std::string ShownJson(std::string_view json) {
  std::string shown;
  std::size_t depth = 0;
  const auto new_line = [&] { shown += "\n" + std::string(2 * depth, ' '); };
  for (std::size_t i = SkipBlanks(json, 0); i < json.size(); i = SkipBlanks(json, i)) {
    const char c = json[i];
    if (c == '"') {
      i = AppendString(json, i, shown);
      continue;
    }
    ++i;
    if (c == '}' || c == ']') {
      --depth;
      new_line();
    }
    shown += c;
    if (c == ':') shown += ' ';
    if (c == ',') new_line();
    if (c != '{' && c != '[') continue;
    i = SkipBlanks(json, i);
    if (json[i] == '}' || json[i] == ']') {
      shown += json[i++];
    } else {
      ++depth;
      new_line();
    }
  }
  return shown;
}

}  // namespace qarion::secrets::cli
