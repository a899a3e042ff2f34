// Words of bits that one thread sets while others look.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qarion::secrets::scrub {

inline void SetBits(std::uint32_t& word, std::uint32_t bits) noexcept {
  __atomic_store_n(&word, __atomic_load_n(&word, __ATOMIC_RELAXED) | bits, __ATOMIC_RELAXED);
}

inline bool HasBits(const std::uint32_t& word, std::uint32_t bits) noexcept {
  return (~__atomic_load_n(&word, __ATOMIC_RELAXED) & bits) == 0;
}

// A bit of all those of the words.
template <typename Words>
void SetBit(Words& words, std::size_t bit) noexcept {
  SetBits(words[bit / 32], 1U << bit % 32);
}

template <typename Words>
bool HasBit(const Words& words, std::size_t bit) noexcept {
  return HasBits(words[bit / 32], 1U << bit % 32);
}

}  // namespace qarion::secrets::scrub
