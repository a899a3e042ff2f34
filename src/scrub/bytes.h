// Bytes of texts.
#pragma once

#include <algorithm>
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

inline std::string_view LastBytes(std::string_view text, std::size_t most) noexcept {
  const std::size_t size = std::min(text.size(), most);
  return {text.data() + (text.size() - size), size};
}

// An unsigned number of bytes, the first one lowest on every machine.
template <typename Number>
Number Load(const char* bytes) noexcept {
  Number number;
  std::memcpy(&number, bytes, sizeof(number));
  if constexpr (std::endian::native == std::endian::big) number = std::byteswap(number);
  return number;
}

// `count` bytes, at most eight, the first one lowest. Calls nothing where their number is not known
// when it is compiled.
inline std::uint64_t LoadWord(const char* bytes, std::size_t count = 8) noexcept {
  if (count == 8) return Load<std::uint64_t>(bytes);
  if (count >= 4) {
    const std::uint64_t last = Load<std::uint32_t>(bytes + count - 4);
    return Load<std::uint32_t>(bytes) | last << 8 * (count - 4);
  }
  if (count == 0) return 0;
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << 8 * i;
  };
  return byte(0) | byte(count / 2) | byte(count - 1);
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

// How many of these bytes are the same, from the first ones on; without vector registers, too.
inline std::size_t CountSame(const char* a, const char* b, std::size_t size) noexcept {
  constexpr std::size_t kEight = sizeof(std::uint64_t);
  std::size_t same = 0;
  for (; same + kEight <= size; same += kEight) {
    const std::uint64_t difference = LoadWord(a + same) ^ LoadWord(b + same);
    if (difference != 0) return same + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
  }
  while (same < size && a[same] == b[same]) ++same;
  return same;
}

}  // namespace qarion::secrets::scrub
