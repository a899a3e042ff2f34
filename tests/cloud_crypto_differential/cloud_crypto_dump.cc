// Reads from standard input, one case a line, fields in hexadecimal with tabs between them, and
// prints a line for each:
// "crc32c", bytes: the checksum by the processor's instruction and without, in decimal.
// "rs256", PEM, message: the signature in hexadecimal, or "ERR" and the reason.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/crc32c.h"
#include "crypto/rsa_key.h"

namespace crypto = qarion::secrets::crypto;

namespace {

std::vector<std::string> FieldsOf(const std::string& line) {
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

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::string Answer(const std::vector<std::string>& fields) {
  if (fields[0] == "crc32c") {
    return std::to_string(crypto::Crc32c(fields[1])) + ' ' +
           std::to_string(crypto::Crc32cPortable(fields[1]));
  }
  const auto key = crypto::ReadRsaPrivateKey(fields[1], "key");
  if (!key) return "ERR\t" + key.error().reason();
  const auto signature = crypto::SignRs256(*key, fields[2]);
  return signature ? Hex(signature->Reveal()) : "ERR\t" + signature.error().reason();
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << Answer(FieldsOf(line)) << '\n';
  return EXIT_SUCCESS;
}
