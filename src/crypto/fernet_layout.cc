#include "crypto/fernet_layout.h"

#include <bit>
#include <cstring>
#include <vector>

#include "crypto/token_text.h"

namespace qarion::secrets::crypto {

FernetFault CheckFernetLayout(std::span<const std::uint8_t> token) noexcept {
  if (token.empty()) return FernetFault::kLength;
  // "Ensure the first byte of the token is 0x80."
  if (token.front() != kFernetVersion) return FernetFault::kVersion;
  if (token.size() < kLeastFernetBytes ||
      (token.size() - kLeastFernetBytes) % kAesBlockBytes != 0) {
    return FernetFault::kLength;
  }
  return FernetFault::kNone;
}

std::uint64_t FernetTimestamp(std::span<const std::uint8_t> token) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t big_endian = 0;
  std::memcpy(&big_endian, &token[kFernetTimestampAt], sizeof big_endian);
  return std::byteswap(big_endian);
}

FernetFault ReadFernetLayout(std::string_view token, FernetLayout& layout) {
  std::vector<std::uint8_t> bytes(TokenBytesRoom(token.size()));
  auto size = DecodeTokenText(token, bytes.data());
  const bool is_canonical = size.has_value();
  if (!size) size = DecodeTokenTextLeniently(token, bytes.data());
  if (!size) return FernetFault::kBase64;
  bytes.resize(*size);
  const FernetFault fault = CheckFernetLayout(bytes);
  if (fault != FernetFault::kNone) return fault;
  layout = {.timestamp = FernetTimestamp(bytes),
            .ciphertext_bytes = bytes.size() - kFernetCiphertextAt - kSha256Bytes,
            .is_canonical = is_canonical};
  return FernetFault::kNone;
}

}  // namespace qarion::secrets::crypto
