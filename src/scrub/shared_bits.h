// Words of bits that one thread sets while others look.
#pragma once

#include <cstdint>

namespace qarion::secrets::scrub {

inline void SetBits(std::uint32_t& word, std::uint32_t bits) noexcept {
  __atomic_store_n(&word, __atomic_load_n(&word, __ATOMIC_RELAXED) | bits, __ATOMIC_RELAXED);
}

inline bool HasBits(const std::uint32_t& word, std::uint32_t bits) noexcept {
  return (~__atomic_load_n(&word, __ATOMIC_RELAXED) & bits) == 0;
}

}  // namespace qarion::secrets::scrub
