// Numbers of PostgreSQL's binary formats: in network order.
#pragma once

#include <cstdint>
#include <vector>

namespace qarion::secrets::rotate::postgres {

// The place of a row in its table (a ctid) in the lower 48 bits of a locator: the block, then the
// item in it.
inline constexpr int kTidSize = 6;
inline std::uint64_t BlockOf(std::uint64_t locator) { return locator >> 16U; }
inline std::uint64_t ItemOf(std::uint64_t locator) { return locator & 0xffffU; }

// The number in `size` bytes.
inline std::uint64_t ReadNumber(const char* bytes, int size) {
  std::uint64_t number = 0;
  for (int i = 0; i < size; ++i) number = number << 8U | static_cast<unsigned char>(bytes[i]);
  return number;
}
inline std::int32_t ReadInt32(const char* bytes) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(ReadNumber(bytes, 4)));
}

inline void AppendNumber(std::vector<char>& out, std::uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(number >> static_cast<unsigned>(shift)));
  }
}

}  // namespace qarion::secrets::rotate::postgres
