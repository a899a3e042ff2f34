// What can be read of a Fernet token without its key. None of it is verified.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/aes_cbc.h"
#include "crypto/fernet_ring.h"
#include "crypto/sha256.h"

namespace qarion::secrets::crypto {

// "Version, 8 bits; Timestamp, 64 bits; IV, 128 bits; Ciphertext, variable length, multiple of 128
// bits; HMAC, 256 bits".
inline constexpr std::uint8_t kFernetVersion = 0x80;
inline constexpr std::size_t kFernetTimestampAt = 1;
inline constexpr std::size_t kFernetIvAt = 9;
inline constexpr std::size_t kFernetCiphertextAt = kFernetIvAt + kAesBlockBytes;
inline constexpr std::size_t kLeastFernetBytes =
    kFernetCiphertextAt + kAesBlockBytes + kSha256Bytes;
// What is encrypted at most.
inline constexpr std::size_t kMostFernetPlaintextBytes = std::size_t{1} << 30;

// Whether decoded bytes are laid out as a token: kNone, kLength or kVersion.
FernetFault CheckFernetLayout(std::span<const std::uint8_t> token) noexcept;

// Of bytes that are laid out as a token.
std::uint64_t FernetTimestamp(std::span<const std::uint8_t> token) noexcept;

struct FernetLayout {
  std::uint64_t timestamp = 0;  // seconds since 1970
  std::size_t ciphertext_bytes = 0;
  bool is_canonical = false;  // can be read strictly
};

// Reads `token` leniently; leaves `layout` alone where it returns a fault. Thread-safe.
FernetFault ReadFernetLayout(std::string_view token, FernetLayout& layout);

}  // namespace qarion::secrets::crypto
