#include "crypto/sha256.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <memory>
#include <utility>

#include "crypto/openssl_lack.h"

namespace qarion::secrets::crypto {
namespace {

struct MacContextFree {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, MacContextFree>;

Error NotAvailable(const char* what) {
  return OpenSslLacks("SHA-256", std::string("cannot calculate ") + what);
}

// Looking an algorithm up takes longer than hashing a line, so it is done once. What was found is
// never freed: threads may hash while the process ends.
const EVP_MD* FetchedSha256() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest;
}
EVP_MAC* FetchedHmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  return mac;
}

const unsigned char* Bytes(std::string_view text) noexcept {
  // OpenSSL takes a null pointer for "no key", which is not the same as an empty one.
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

// Writes kSha256Bytes. False: OpenSSL cannot.
bool CalculateHmac(std::string_view key, std::string_view message, unsigned char* out) {
  static char digest_name[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  if (FetchedHmac() == nullptr) return false;
  const MacContext context(EVP_MAC_CTX_new(FetchedHmac()));
  std::size_t written = 0;
  return context && EVP_MAC_init(context.get(), Bytes(key), key.size(), parameters) == 1 &&
         EVP_MAC_update(context.get(), Bytes(message), message.size()) == 1 &&
         EVP_MAC_final(context.get(), out, &written, kSha256Bytes) == 1 && written == kSha256Bytes;
}

}  // namespace

Result<Sha256Digest> Sha256(std::string_view bytes) {
  Sha256Digest digest{};
  if (FetchedSha256() == nullptr || EVP_Digest(Bytes(bytes), bytes.size(), digest.data(), nullptr,
                                               FetchedSha256(), nullptr) != 1) {
    return NotAvailable("SHA-256");
  }
  return digest;
}

Result<Sha256Digest> HmacSha256(std::string_view key, std::string_view message) {
  Sha256Digest code{};
  if (!CalculateHmac(key, message, code.data())) return NotAvailable("HMAC-SHA256");
  return code;
}

Result<Secret> DeriveHmacSha256Key(std::string_view key, std::string_view message) {
  SecretBuffer derived;
  char* const room = derived.Spare(kSha256Bytes);
  if (!CalculateHmac(key, message, reinterpret_cast<unsigned char*>(room))) {
    return NotAvailable("HMAC-SHA256");
  }
  derived.Grow(kSha256Bytes);
  return std::move(derived).Seal();
}

std::string LowerHex(const Sha256Digest& digest) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text(2 * digest.size(), '0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kHexDigits[digest[i] >> 4];
    text[2 * i + 1] = kHexDigits[digest[i] & 0xf];
  }
  return text;
}

}  // namespace qarion::secrets::crypto
