// The header of a JSON Web Token that is signed as it should be: where it is accepted, another
// reader finds the one algorithm in it, and nothing that a verifier would have to understand.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ascii.h"
#include "core/json_document.h"
#include "jwt_signed.h"
#include "require.h"

namespace core = qarion::secrets::core;
namespace jwt = qarion::secrets::jwt;

namespace {

constexpr std::string_view kPayload = R"({"exp":1800000600})";

bool IsJwt(std::string_view type) {
  return core::EqualsIgnoringCase(type, "JWT") || core::EqualsIgnoringCase(type, "application/JWT");
}

void RequireFit(std::string_view header) {
  const auto document = core::JsonDocument::Parse(header, "header");
  if (!document) {
    Require(document.error().reason().find("exponent") != std::string::npos);
    return;
  }
  Require((*document)["alg"].Text() == "HS256");
  for (const char* name : {"crit", "b64", "zip", "cty"}) Require(!(*document)[name].exists());
  for (const char* name : {"typ", "kid"}) {
    Require(!(*document)[name].exists() || (*document)[name].Text());
  }
  if (const auto type = (*document)["typ"].Text()) Require(IsJwt(*type));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  const std::string token = jwt_fuzz::Signed(header, kPayload);
  const auto verified = jwt_fuzz::Verifier().Verify(token);
  if (verified) {
    RequireFit(header);
    Require(verified->claims().json() == kPayload);
  } else {
    using enum jwt::Rejection;
    const auto reason = jwt::RejectionOf(verified.error());
    // It is signed, so the header alone is at fault.
    const bool is_of_header = reason == kTooLarge || reason == kNotCompact ||
                              reason == kBadHeader || reason == kWrongAlgorithm ||
                              reason == kUnsupportedHeader || reason == kWrongType;
    // A `kid` that is unknown leaves all keys to be tried.
    Require(is_of_header);
  }
  // The same again, which is not read again.
  Require(jwt_fuzz::Verifier().Verify(token).has_value() == verified.has_value());
  return 0;
}
