// Names and texts as they stand in SQL.
#pragma once

#include <string>
#include <string_view>

namespace qarion::secrets::rotate::sqlite {

// "it""s": any name, between double quotes.
inline std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// In the file itself, whatever temporary tables are called.
inline std::string QuotedTable(std::string_view name) { return "main." + QuotedName(name); }

// 'it''s'.
inline std::string QuotedText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace qarion::secrets::rotate::sqlite
