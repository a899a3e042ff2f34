// Any bytes as a private key in PEM, and as the DER within one. Errors must be quiet and blame what
// was read; what is taken must sign.
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base64.h"
#include "crypto/rsa_key.h"
#include "require.h"

namespace crypto = qarion::secrets::crypto;
using qarion::secrets::ErrorCode;

namespace {

void RequireSoundReading(std::string_view pem) {
  const auto key = crypto::ReadRsaPrivateKey(pem, "key");
  if (key) {
    const auto signature = crypto::SignRs256(*key, "message");
    Require(signature && signature->size() >= crypto::kLeastRsaBits / 8);
    return;
  }
  Require(key.error().code() == ErrorCode::kBadData ||
          key.error().code() == ErrorCode::kConfiguration);
  // Its text is made of fixed words and a number.
  Require(key.error().reason().starts_with("key ") && key.error().reason().size() < 100);
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
