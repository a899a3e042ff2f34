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
#include "tests/support/hex_fields.h"

namespace crypto = qarion::secrets::crypto;
namespace test = qarion::secrets::test;
using qarion::secrets::Result;
using qarion::secrets::Secret;

namespace {

std::string Show(const crypto::Signature& signature) {
  return test::Hex(signature.canonical_request.Reveal()) + '\t' + signature.hex;
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
  for (std::string line; std::getline(std::cin, line);)
    std::cout << Sign(test::FieldsOf(line)) << '\n';
  return EXIT_SUCCESS;
}
