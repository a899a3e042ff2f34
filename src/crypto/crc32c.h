// CRC-32C (Castagnoli): RFC 3720, 12.1, with the examples of its appendix B.4.
#pragma once

#include <cstdint>
#include <string_view>

namespace qarion::secrets::crypto {

// The checksum of `bytes`, which finds what was damaged by accident, not what was forged. Uses the
// processor's own instruction where there is one. Thread-safe.
std::uint32_t Crc32c(std::string_view bytes) noexcept;

// The same without that instruction: what Crc32c does on other processors. For tests.
std::uint32_t Crc32cPortable(std::string_view bytes) noexcept;

}  // namespace qarion::secrets::crypto
