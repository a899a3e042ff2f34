// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104), by OpenSSL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

inline constexpr std::size_t kSha256Bytes = 32;
using Sha256Digest = std::array<std::uint8_t, kSha256Bytes>;

// All of these fail with kInternal where OpenSSL gives no SHA-256: its configuration (OPENSSL_CONF)
// took away the provider that has it, or there is no memory. Thread-safe.
//
// Keys and messages may be secrets: no copy of them stays behind outside of what OpenSSL wipes
// itself, except on the stack, for which there is core::WipeTraces.

Result<Sha256Digest> Sha256(std::string_view bytes);

// A code that is shown to others, such as a signature.
Result<Sha256Digest> HmacSha256(std::string_view key, std::string_view message);

// A code that is a key itself, in secret memory from the first byte on.
Result<Secret> DeriveHmacSha256Key(std::string_view key, std::string_view message);

// 64 hexadecimal digits in lower case.
std::string LowerHex(const Sha256Digest& digest);

}  // namespace qarion::secrets::crypto
