#include "crypto/sha1.h"

#include <openssl/evp.h>

#include <array>

#include "crypto/openssl_lack.h"

namespace qarion::secrets::crypto {

Result<std::string> Sha1Hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    return OpenSslLacks("SHA-1", "cannot calculate SHA-1");
  }
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHexDigits[digest[i] >> 4];
    text += kHexDigits[digest[i] & 0xf];
  }
  return text;
}

}  // namespace qarion::secrets::crypto
