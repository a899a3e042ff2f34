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
#include "tests/support/hex_fields.h"

namespace crypto = qarion::secrets::crypto;
namespace test = qarion::secrets::test;

namespace {

std::string Answer(const std::vector<std::string>& fields) {
  if (fields[0] == "crc32c") {
    return std::to_string(crypto::Crc32c(fields[1])) + ' ' +
           std::to_string(crypto::Crc32cPortable(fields[1]));
  }
  const auto key = crypto::ReadRsaPrivateKey(fields[1], "key");
  if (!key) return "ERR\t" + key.error().reason();
  const auto signature = crypto::SignRs256(*key, fields[2], "key");
  return signature ? test::Hex(signature->Reveal()) : "ERR\t" + signature.error().reason();
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << Answer(test::FieldsOf(line)) << '\n';
  return EXIT_SUCCESS;
}
