// Reads from standard input, one case a line, fields in hexadecimal with tabs between them. Prints
// a line for each:
// "sign", algorithm, key, time, claims as a JSON object: the token.
// "verify", algorithm, key, time, token, audience or nothing: "OK" and the claims in hexadecimal.
// Or "ERR" and the reason code, or the reason. Times are seconds since 1970.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fixed_clock.h"
#include "qarion/secrets/jwt_signer.h"
#include "qarion/secrets/jwt_verifier.h"
#include "tests/support/hex_fields.h"

namespace secrets = qarion::secrets;
namespace jwt = qarion::secrets::jwt;
namespace test = qarion::secrets::test;

namespace {

std::string Failure(const secrets::Error& error) {
  const auto rejection = jwt::RejectionOf(error);
  return "ERR\t" + (rejection ? std::string(ToString(*rejection)) : error.reason());
}

jwt::Algorithm AlgorithmOf(std::string_view name) {
  using enum jwt::Algorithm;
  for (const jwt::Algorithm algorithm : {kHs256, kHs384}) {
    if (name == ToString(algorithm)) return algorithm;
  }
  return kHs512;
}

std::shared_ptr<secrets::Clock> ClockAt(const std::string& time) {
  return secrets::cli::ClockOf(std::stoll(time));
}

// Each by the call that a program would make for its type.
jwt::ClaimsBuilder BuilderOf(const jwt::Claims& claims) {
  jwt::ClaimsBuilder builder;
  for (const std::string_view name : claims.names()) {
    if (const auto text = claims.Text(name)) {
      builder.Text(name, *text);
    } else if (const auto integer = claims.Integer(name)) {
      builder.Integer(name, *integer);
    } else if (const auto truth = claims.Bool(name)) {
      builder.Bool(name, *truth);
    } else if (const auto texts = claims.Texts(name)) {
      builder.Texts(name, *texts);
    } else {
      builder.Json(name, *claims.Json(name));
    }
  }
  return builder;
}

std::string Sign(const std::vector<std::string>& fields) {
  const auto claims = jwt::Claims::Parse(fields[4]);
  if (!claims) return Failure(claims.error());
  auto signer = jwt::Signer::With(secrets::Secret::CopyOf(fields[2]), AlgorithmOf(fields[1]));
  if (!signer) return Failure(signer.error());
  const auto token = (*std::move(signer)).UseClock(ClockAt(fields[3])).Sign(BuilderOf(*claims));
  return token ? *token : Failure(token.error());
}

std::string Verify(const std::vector<std::string>& fields) {
  auto verifier =
      jwt::Verifier::With({.current = secrets::Secret::CopyOf(fields[2])}, AlgorithmOf(fields[1]))
          .UseClock(ClockAt(fields[3]));
  if (!fields[5].empty()) verifier = std::move(verifier).RequireAudience(fields[5]);
  const auto token = verifier.Verify(fields[4]);
  return token ? "OK\t" + test::Hex(token->claims().json()) : Failure(token.error());
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto fields = test::FieldsOf(line);
    std::cout << (fields[0] == "sign" ? Sign(fields) : Verify(fields)) << '\n';
  }
  return EXIT_SUCCESS;
}
