// Bytes of texts.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace qarion::secrets::scrub {

// Where a byte of a text stands, but there is none.
inline constexpr int kNoByte = -1;

// Without the check of the library: these are inner loops.
inline std::uint8_t ByteAt(std::string_view text, std::size_t index) noexcept {
  return static_cast<std::uint8_t>(text.data()[index]);
}

inline int LastByte(std::string_view text, int otherwise) noexcept {
  return text.empty() ? otherwise : static_cast<unsigned char>(text.back());
}

// `count` bytes, at most eight, the first one lowest on every machine.
inline std::uint64_t LoadWord(const char* bytes, std::size_t count = 8) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// Compares without leaving bytes in vector registers, as memcmp does.
inline bool Equal(const char* a, const char* b, std::size_t size) noexcept {
  constexpr std::size_t kEight = sizeof(std::uint64_t);
  if (size < kEight) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  // What has a gram in common differs at the end rather than at the beginning.
  if (LoadWord(a + size - kEight) != LoadWord(b + size - kEight)) return false;
  for (std::size_t i = 0; i + kEight < size; i += kEight) {
    if (LoadWord(a + i) != LoadWord(b + i)) return false;
  }
  return true;
}

}  // namespace qarion::secrets::scrub
