// How programs that are held against other implementations are asked, and answer: a case a line,
// its fields in hexadecimal with tabs between them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::test {

inline std::vector<std::string> FieldsOf(const std::string& line) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == '\t') {
      fields.emplace_back();
      ++i;
    } else {
      fields.back() += static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16));
      i += 2;
    }
  }
  return fields;
}

inline std::string FromHex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

inline std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

}  // namespace qarion::secrets::test
