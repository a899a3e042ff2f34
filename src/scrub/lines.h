// The lines of a value.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/ascii.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::scrub {

inline constexpr std::string_view kLineBreaks = "\r\n";
inline constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";

inline bool IsWhiteSpace(std::string_view text) {
  return text.find_first_not_of(kWhiteSpace) == text.npos;
}

// Length of the line break at the beginning of `text`: LF, CRLF or CR. 0 where there is none.
constexpr std::size_t LineBreakLength(std::string_view text) {
  if (text.starts_with("\r\n")) return 2;
  return text.starts_with('\n') || text.starts_with('\r') ? 1 : 0;
}

// Calls `found` with each line, without the white space around it.
template <typename Found>
void ForEachLine(std::string_view text, Found found) {
  while (!text.empty()) {
    const std::size_t length = text.substr(0, text.find_first_of(kLineBreaks)).size();
    found(core::Trimmed(text.substr(0, length), kWhiteSpace));
    text.remove_prefix(length);
    text.remove_prefix(LineBreakLength(text));
  }
}

// Whether a line is what every PEM file (RFC 7468; RFC 1421, 4.4) has, and no part of a key.
constexpr bool IsPemFrame(std::string_view line) {
  return line.starts_with("-----BEGIN ") || line.starts_with("-----END ") ||
         line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:");
}

}  // namespace qarion::secrets::scrub
