// Reads requests from standard input, one a line, fields in hexadecimal with tabs between them:
// form
// ("header" or "query"), seconds since 1970, region, service, session token, method, path, query,
// payload, and then name and value of each header. Prints for each the canonical request in
// hexadecimal, a tab and the signature, or "ERR" and the reason.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/sigv4.h"

namespace crypto = qarion::secrets::crypto;
using qarion::secrets::Result;
using qarion::secrets::Secret;

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

std::string Show(const crypto::Signature& signature) {
  return Hex(signature.canonical_request.Reveal()) + '\t' + signature.hex;
}

std::string Sign(const std::vector<std::string>& fields) {
  constexpr std::size_t kFixed = 9;
  const std::chrono::sys_seconds time{std::chrono::seconds(std::stoll(fields[1]))};
  const crypto::CredentialScope scope{.region = fields[2], .service = fields[3]};
  // The published example key of AWS.
  const crypto::SigningCredentials credentials{
      .access_key_id = "AKIDEXAMPLE",
      .secret_access_key = Secret::CopyOf("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      .session_token = Secret::CopyOf(fields[4])};
  crypto::SigningRequest request{
      .method = fields[5], .path = fields[6], .query = fields[7], .payload = fields[8]};
  for (std::size_t i = kFixed; i + 1 < fields.size(); i += 2) {
    request.headers.push_back({fields[i], fields[i + 1]});
  }
  if (fields[0] == "query") {
    const auto signature =
        crypto::SignWithQuery(request, credentials, scope, time, std::chrono::hours(1));
    return signature ? Show(signature->signature) : "ERR\t" + signature.error().reason();
  }
  const auto signature = crypto::SignWithHeaders(request, credentials, scope, time);
  return signature ? Show(signature->signature) : "ERR\t" + signature.error().reason();
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) std::cout << Sign(FieldsOf(line)) << '\n';
  return EXIT_SUCCESS;
}
