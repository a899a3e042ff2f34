// Names and texts as they stand in SQL.
//
// Functions are named with pg_catalog before them, and operators have operands of the very types
// that the system's are for: one of another schema in the search path that fits better would be
// taken before them, and run with the rights of a rotation.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace qarion::secrets::rotate::postgres {

// "it""s": any name, between double quotes. The connection's encoding is UTF-8, in which no
// character holds the byte of a quotation mark.
inline std::string QuotedName(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

inline std::string QuotedName(std::string_view schema, std::string_view name) {
  return schema.empty() ? QuotedName(name) : QuotedName(schema) + "." + QuotedName(name);
}

// 'it''s', whatever standard_conforming_strings says.
inline std::string QuotedText(std::string_view text) {
  std::string quoted;
  bool is_escaped = false;
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    if (c == '\\') is_escaped = true;
    quoted += c;
  }
  return (is_escaped ? " E'" : "'") + quoted + "'";
}

// {"a","b"}: an array of texts as a parameter.
inline std::string ArrayText(std::span<const std::string> texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + "}";
}

// For people: "schema.name".
inline std::string Title(std::string_view schema, std::string_view name) {
  std::string title;
  if (!schema.empty()) title.append(schema).append(".");
  return title.append(name);
}

}  // namespace qarion::secrets::rotate::postgres
