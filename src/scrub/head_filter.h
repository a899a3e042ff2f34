// Tells quickly that no pattern begins with what a text ends with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/secret_memory.h"
#include "scrub/bytes.h"
#include "scrub/kernels.h"

namespace qarion::secrets::scrub {

// Where in a filter four bytes are, as the kernels look for them.
inline Place PlaceOfFour(std::string_view four, unsigned shift) noexcept {
  return PlaceOf(LoadWord(four.data(), 4), shift);
}

// The first bytes of patterns: one or two exactly, three to eight by their hash.
//
// Thread-safety: one thread at a time adds; others may ask meanwhile.
class HeadFilter {
 public:
  static constexpr std::size_t kLongest = 8;

  // `head`: the first bytes of a pattern, kLongest at most.
  void Add(std::string_view head) noexcept;
  // What of `head` is behind kLongest does not count.
  bool MayHave(std::string_view head) const noexcept;

  // Which ends of the text may be such first bytes, and what follows: bit i stands for the last
  // i + 1 bytes. `text`: 64 bytes at most. `asked`: only these count.
  std::uint64_t EndsOf(std::string_view text, const Kernels& kernels,
                       std::uint64_t asked) const noexcept;

 private:
  // Heads of four bytes have a filter that the kernels look through.
  static constexpr std::size_t kFour = 4;
  static constexpr unsigned kWordBits = 14;
  static constexpr ProbePlan PlanOf(const std::uint32_t* words) noexcept {
    return {.words = words, .shift = 32 - kWordBits, .gram_size = kFour, .stride = 1};
  }

  static constexpr std::size_t kExactBits = std::size_t{1} << 17;  // for one and for two bytes
  static constexpr unsigned kHashBits = 18;
  static std::size_t BitOf(std::string_view head) noexcept;

  core::SecretVector<std::uint32_t> bits_ =
      core::SecretVector<std::uint32_t>((kExactBits + (std::size_t{1} << kHashBits)) / 32);
  core::SecretVector<std::uint32_t> of_four_ =
      core::SecretVector<std::uint32_t>(std::size_t{1} << kWordBits);
};

}  // namespace qarion::secrets::scrub
