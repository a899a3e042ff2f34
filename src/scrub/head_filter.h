// Tells quickly that no pattern begins with what a text ends with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/secret_memory.h"

namespace qarion::secrets::scrub {

// The first bytes of patterns: one or two exactly, three or four by their hash.
//
// Thread-safety: one thread at a time adds; others may ask meanwhile.
class HeadFilter {
 public:
  static constexpr std::size_t kLongest = 4;

  // `head`: the first bytes of a pattern. What is behind kLongest does not count.
  void Add(std::string_view head) noexcept {
    const std::size_t bit = BitOf(head);
    std::uint32_t& word = words_[bit / 32];
    __atomic_store_n(&word, __atomic_load_n(&word, __ATOMIC_RELAXED) | 1U << bit % 32,
                     __ATOMIC_RELAXED);
  }
  bool MayHave(std::string_view head) const noexcept {
    const std::size_t bit = BitOf(head);
    return (__atomic_load_n(words_.data() + bit / 32, __ATOMIC_RELAXED) >> bit % 32 & 1) != 0;
  }

 private:
  static constexpr std::size_t kShortBits = std::size_t{1} << 17;  // for one and for two bytes
  static constexpr unsigned kHashBits = 19;

  static std::size_t BitOf(std::string_view head) noexcept {
    if (head.size() >= kLongest) {
      std::uint32_t four = 0;
      std::memcpy(&four, head.data(), kLongest);
      return HashedBit(four);
    }
    const auto byte = [&](std::size_t i) {
      return std::uint32_t{static_cast<unsigned char>(head.data()[i])};
    };
    if (head.size() == 1) return byte(0);
    const std::uint32_t two = byte(0) | byte(1) << 8;
    if (head.size() == 2) return kShortBits / 2 + two;
    return HashedBit(~(two | byte(2) << 16));
  }
  static std::size_t HashedBit(std::uint32_t bytes) noexcept {
    return kShortBits + ((bytes * 0x9E3779B1U) >> (32 - kHashBits));
  }

  core::SecretVector<std::uint32_t> words_ =
      core::SecretVector<std::uint32_t>((kShortBits + (std::size_t{1} << kHashBits)) / 32);
};

}  // namespace qarion::secrets::scrub
