// A JSON Web Token, as it is or as changes of a valid one: what is accepted is what OpenSSL signs,
// and no error has a part of what was given.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "jwt_signed.h"
#include "require.h"

namespace jwt = qarion::secrets::jwt;

namespace {

const std::string& ValidToken() {
  static const std::string token = jwt_fuzz::Signed(
      R"({"alg":"HS256","typ":"JWT"})", R"({"sub":"alice","iat":1800000000,"exp":1800000600})");
  return token;
}

std::string TextOf(const qarion::secrets::Error& error) {
  std::string text = error.reason() + '\n' + error.cure();
  for (const auto& [key, value] : error.context()) text += '\n' + key + ' ' + value;
  return text;
}

// The same for each token of a kind, so nothing in it is a token's.
void RequireSaysNothing(const qarion::secrets::Error& error) {
  static std::array<std::string, jwt::kRejections> texts;
  const auto rejection = jwt::RejectionOf(error);
  Require(rejection.has_value());
  std::string& earlier = texts[static_cast<std::size_t>(*rejection)];
  if (earlier.empty()) earlier = TextOf(error);
  Require(TextOf(error) == earlier);
}

void Check(std::string_view token) {
  const auto verified = jwt_fuzz::Verifier().Verify(token);
  const auto read = jwt::UnverifiedToken::Read(token);
  if (!read) RequireSaysNothing(read.error());
  if (!verified) {
    RequireSaysNothing(verified.error());
    return;
  }
  Require(token == jwt_fuzz::SignedText(token.substr(0, token.rfind('.'))));
  Require(read.has_value());
  Require(read->unverified_claims().json() == verified->claims().json());
  Require(token == jwt_fuzz::Signed(read->unverified_header().json(), verified->claims().json()));
}

// The token, changed where the input says.
void CheckChanged(std::string_view changes) {
  std::string token = ValidToken();
  for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
    token[static_cast<unsigned char>(changes[i]) % token.size()] = changes[i + 1];
  }
  Check(token);
  if (token != ValidToken()) Require(!jwt_fuzz::Verifier().Verify(token));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(text);
  CheckChanged(text);
  Require(jwt_fuzz::Verifier().Verify(ValidToken()).has_value());
  return 0;
}
