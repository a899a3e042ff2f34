// A set of byte values, laid out as vector instructions look it up.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace qarion::secrets::scrub {

// Bit `c >> 4 & 7` of row `c & 15` stands for the byte c, in the first 16 rows where c is below 128
// and in the others above: a shuffle by the low half of c finds the row.
struct MemberSet {
  alignas(32) std::array<std::uint8_t, 32> rows{};

  static constexpr std::size_t RowOf(std::uint8_t c) {
    return static_cast<std::size_t>((c & 15) | (c >> 7) << 4);
  }
  static constexpr unsigned BitOf(std::uint8_t c) { return c >> 4 & 7U; }
  constexpr bool Has(std::uint8_t c) const { return (rows[RowOf(c)] >> BitOf(c) & 1) != 0; }
};

// One that grows while others read it.
class GrowingMemberSet {
 public:
  void Add(std::uint8_t c) noexcept {
    const std::size_t row = MemberSet::RowOf(c);
    const std::uint64_t bit = std::uint64_t{1} << (8 * (row % 8) + MemberSet::BitOf(c));
    std::atomic<std::uint64_t>& word = words_[row / 8];
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_relaxed);
    }
  }
  MemberSet Load() const noexcept {
    std::array<std::uint64_t, 4> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = words_[i].load(std::memory_order_relaxed);
      if constexpr (std::endian::native == std::endian::big) words[i] = __builtin_bswap64(words[i]);
    }
    return std::bit_cast<MemberSet>(words);
  }

 private:
  std::array<std::atomic<std::uint64_t>, 4> words_{};
};

}  // namespace qarion::secrets::scrub
