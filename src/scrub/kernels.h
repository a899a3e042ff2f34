// The inner loop of the scrubber, once for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scrub/byte_kinds.h"

namespace qarion::secrets::scrub {

// A text is looked at in batches of so many bytes at most.
inline constexpr std::size_t kBatchBytes = 56 * 64;

// Where to look for grams, and in what filter.
struct ProbePlan {
  const std::uint32_t* words = nullptr;  // a Bloom filter, two bits in one word
  const ByteKinds* kinds = nullptr;
  unsigned shift = 0;      // leaves as many bits of a hash as an index has, at least kLeastShift
  unsigned gram_size = 0;  // 1, 2, 3, 5 or 8
  unsigned stride = 0;     // 1, 2, 4 or 8: each stride-th place is looked at
};
inline constexpr unsigned kLeastShift = 10;

// The hash of a gram: the product of its first four bytes with one number, added to that of its
// last four, if it has more than four, with another.
struct GramBytes {
  std::uint32_t first;
  std::uint32_t last;
};
inline constexpr std::uint32_t kFirstFactor = 0x9E3779B1;
inline constexpr std::uint32_t kLastFactor = 0x85EBCA77;

// `eight_bytes`: a gram and what follows, the first byte lowest.
inline GramBytes BytesOf(std::uint64_t eight_bytes, unsigned gram_size) noexcept {
  const auto low = static_cast<std::uint32_t>(eight_bytes);
  if (gram_size < 4) return {.first = low & ((1U << 8 * gram_size) - 1), .last = 0};
  return {.first = low, .last = static_cast<std::uint32_t>(eight_bytes >> 8 * (gram_size - 4))};
}
inline std::uint32_t HashOf(GramBytes bytes) noexcept {
  return bytes.first * kFirstFactor + bytes.last * kLastFactor;
}

// The high bits of a product depend on more of the gram than the low ones.
struct Place {
  std::uint32_t word = 0;  // index into words
  std::uint32_t bits = 0;  // two of that word
};
inline Place PlaceOf(std::uint32_t hash, unsigned shift) noexcept {
  return {.word = hash >> shift,
          .bits = 1U << (hash >> (shift - 5) & 31) | 1U << (hash >> (shift - 10) & 31)};
}

struct Kernels {
  const char* name;
  // Looks at the grams that lie in the text of `size` bytes, end a stride and begin before `count`,
  // kBatchBytes at most. Writes the places of those that may be in windows and are in the filter to
  // `hits`, room for kBatchBytes, in ascending order; returns how many.
  std::size_t (*probe)(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                       std::uint16_t* hits);
};

extern const Kernels kPlainKernels;
#if defined(__x86_64__)
extern const Kernels kSse42Kernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

// The fastest this processor has, or what QARION_SECRETS_ISA names when the process starts: plain,
// sse4.2, avx2 or avx512. What it lacks is not taken.
const Kernels& ActiveKernels() noexcept;

// One of them by its name; null where it is unknown or the processor lacks it.
const Kernels* KernelsNamed(std::string_view name) noexcept;

}  // namespace qarion::secrets::scrub
