// Any bytes as a private key in PEM, and as the DER within one. Errors must be quiet and blame what
// was read; what is taken must
// sign, or turn out to be damaged.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base64.h"
#include "crypto/rsa_key.h"
#include "require.h"

namespace crypto = qarion::secrets::crypto;
using qarion::secrets::Error;
using qarion::secrets::ErrorCode;

namespace {

void RequireQuiet(const Error& error) {
  Require(error.code() == ErrorCode::kBadData || error.code() == ErrorCode::kConfiguration);
  // Its text is made of fixed words and a number.
  Require(error.reason().starts_with("key ") && error.reason().size() < 100);
}

void RequireSoundReading(std::string_view pem) {
  const auto key = crypto::ReadRsaPrivateKey(pem, "key");
  if (!key) return RequireQuiet(key.error());
  const auto signature = crypto::SignRs256(*key, "message", "key");
  if (!signature) return RequireQuiet(signature.error());
  Require(signature->size() >= crypto::kLeastRsaBits / 8);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RequireSoundReading(bytes);
  const std::string base64(crypto::EncodeBase64(bytes).Reveal());
  for (const std::string label : {"PRIVATE KEY-----", "RSA PRIVATE KEY-----"}) {
    RequireSoundReading("-----BEGIN " + label + base64 + "-----END " + label);
  }
  return 0;
}
