// Tokens as OpenSSL signs and writes them, under a key that everybody knows, and who verifies them.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "cli/fixed_clock.h"
#include "qarion/secrets/jwt_verifier.h"

namespace jwt_fuzz {

inline constexpr std::string_view kKey = "your-256-bit-secret";
inline constexpr std::int64_t kNow = 1'800'000'000;

inline const unsigned char* BytesOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline std::string Encoded(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and what ends it
  text.resize(
      static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                               BytesOf(bytes), static_cast<int>(bytes.size()))));
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

inline std::string SignedText(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), kKey.data(), static_cast<int>(kKey.size()), BytesOf(text), text.size(),
       code.data(), &size);
  return std::string(text) + '.' + Encoded({reinterpret_cast<const char*>(code.data()), size});
}

inline std::string Signed(std::string_view header, std::string_view payload) {
  return SignedText(Encoded(header) + '.' + Encoded(payload));
}

inline const qarion::secrets::jwt::Verifier& Verifier() {
  namespace secrets = qarion::secrets;
  static const auto verifier =
      secrets::jwt::Verifier::With({.current = secrets::Secret::CopyOf(kKey)})
          .AcceptWeakKeys()
          .UseClock(secrets::cli::ClockOf(kNow));
  return verifier;
}

}  // namespace jwt_fuzz
