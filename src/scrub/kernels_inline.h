// The part of the kernels that is the same in C++ for all instruction sets. Included by one file
// for each, which is compiled for it: so everything here is local to that file, and nothing of the
// standard library is called that the linker could take from it for others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scrub/kernels.h"

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see above

// Grams that begin in a step of kStepBytes end in the kMaskBytes of its masks.
constexpr std::size_t kStepBytes = 56;
constexpr std::size_t kMaskBytes = 64;

constexpr std::uint64_t LowBits(std::size_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

// Bit i: whether the bits i to i + gram_size - 1 are all set.
[[gnu::always_inline]] inline std::uint64_t Runs(std::uint64_t mask, unsigned gram_size) {
  const std::uint64_t two = mask & mask >> 1;
  const std::uint64_t four = two & two >> 2;
  switch (gram_size) {
    case 8: return four & four >> 4;
    case 5: return four & mask >> 4;
    case 3: return two & mask >> 2;
    case 2: return two;
    default: return mask;
  }
}

constexpr std::uint64_t StrideEnds(unsigned stride) {
  return stride == 8   ? 0x8080808080808080
         : stride == 4 ? 0x8888888888888888
         : stride == 2 ? 0xAAAAAAAAAAAAAAAA
                       : ~std::uint64_t{0};
}

// The two bits of the kinds of 64 bytes (ByteKinds::first(), second()).
struct KindMasks {
  std::uint64_t first;
  std::uint64_t second;
};

// Bit i: whether the gram that begins there is looked up.
template <unsigned kGramSize>
[[gnu::always_inline]] inline std::uint64_t LookedUp(KindMasks kinds) {
  const std::uint64_t members = kinds.first | kinds.second;
  const std::uint64_t unmarked = ~(kinds.first & kinds.second);
  const std::uint64_t dull = kinds.second & ~kinds.first;
  return (Runs(members, kGramSize) & ~Runs(unmarked, kGramSize)) | Runs(dull, kGramSize);
}

// Writes where bits are set, `base` added; may write up to three more behind them.
template <int kAtOnce>
[[gnu::always_inline]] inline std::uint16_t* WritePlaces(std::uint64_t bits, std::size_t base,
                                                         std::uint16_t* out) {
  // Most steps have few: what is written beyond their number is written over.
  const int count = __builtin_popcountll(bits);
  std::uint16_t* next = out;
  do {
    for (int i = 0; i < kAtOnce; ++i) {
      const auto index = static_cast<std::size_t>(__builtin_ctzll(bits | std::uint64_t{1} << 63));
      next[i] = static_cast<std::uint16_t>(base + index);
      bits &= bits - 1;
      asm("" : "+r"(bits));  // vectors would be slower here
    }
    next += kAtOnce;
  } while (__builtin_expect(bits != 0, 0));
  return out + count;
}

[[gnu::always_inline]] inline std::uint64_t LoadEight(const char* bytes) {
  std::uint64_t word = 0;
  __builtin_memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

[[gnu::always_inline]] inline std::uint64_t LoadFewer(const char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  }
  return word;
}

[[gnu::always_inline]] inline bool IsInFilter(const ProbePlan& plan, std::uint32_t hash) {
  const Place place = PlaceOf(hash, plan.shift);
  // Others may add bits meanwhile.
  return (~__atomic_load_n(plan.words + place.word, __ATOMIC_RELAXED) & place.bits) == 0;
}

// Those of the places whose grams are in the filter. `hits` may be `places`.
template <unsigned kGramSize>
[[gnu::always_inline]] inline std::size_t LookUpPlaces(const char* text, std::size_t size,
                                                       const std::uint16_t* places,
                                                       const std::uint16_t* end,
                                                       const ProbePlan& plan, std::uint16_t* hits) {
  std::size_t found = 0;
  for (const std::uint16_t* at = places; at != end; ++at) {
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): WritePlaces() wrote up to `end`.
    const std::uint16_t place = *at;
    const std::size_t left = size - place;
    const std::uint64_t bytes = __builtin_expect(left >= sizeof(std::uint64_t), 1)
                                    ? LoadEight(text + place)
                                    : LoadFewer(text + place, left);
    hits[found] = place;
    found += static_cast<std::size_t>(IsInFilter(plan, HashOf(BytesOf(bytes, kGramSize))));
  }
  return found;
}

// Calls `kinds_of` with kMaskBytes of the text, or with what is left of it and zeros behind.
template <typename KindsOf>
[[gnu::always_inline]] inline KindMasks KindsAt(const char* text, std::size_t size,
                                                std::size_t begin, KindsOf kinds_of) {
  if (__builtin_expect(begin + kMaskBytes <= size, 1)) return kinds_of(text + begin);
  if (size >= kMaskBytes) {
    const KindMasks kinds = kinds_of(text + size - kMaskBytes);
    const std::size_t before = begin + kMaskBytes - size;
    return {.first = kinds.first >> before, .second = kinds.second >> before};
  }
  char padded[kMaskBytes] = {};  // NOLINT(*-avoid-c-arrays)
  __builtin_memcpy(padded, text + begin, size - begin);
  const KindMasks kinds = kinds_of(padded);
  __builtin_memset(padded, 0, sizeof(padded));
  asm volatile("" : : "r"(padded) : "memory");
  const std::uint64_t there = LowBits(size - begin);
  return {.first = kinds.first & there, .second = kinds.second & there};
}

template <unsigned kGramSize, typename KindsOf>
[[gnu::always_inline]] inline std::size_t ProbeGrams(const char* text, std::size_t size,
                                                     std::size_t count, const ProbePlan& plan,
                                                     std::uint16_t* hits, KindsOf kinds_of) {
  std::uint16_t places[kBatchBytes + 4];  // NOLINT(*-avoid-c-arrays): not initialised
  std::uint16_t* end = places;
  const std::uint64_t ends = StrideEnds(plan.stride);
  for (std::size_t begin = 0; begin < count; begin += kStepBytes) {
    const std::size_t left = count - begin;
    const std::uint64_t here = LowBits(left < kStepBytes ? left : kStepBytes);
    const std::uint64_t grams = LookedUp<kGramSize>(KindsAt(text, size, begin, kinds_of));
    constexpr int kAtOnce = kGramSize == 8 ? 2 : 4;
    end = WritePlaces<kAtOnce>(grams & ends & here, begin, end);
  }
  return LookUpPlaces<kGramSize>(text, size, places, end, plan, hits);
}

template <typename KindsOf>
[[gnu::always_inline]] inline std::size_t ProbeAny(const char* text, std::size_t size,
                                                   std::size_t count, const ProbePlan& plan,
                                                   std::uint16_t* hits, KindsOf kinds_of) {
  switch (plan.gram_size) {  // so that each is a loop of its own
    case 8: return ProbeGrams<8>(text, size, count, plan, hits, kinds_of);
    case 5: return ProbeGrams<5>(text, size, count, plan, hits, kinds_of);
    case 3: return ProbeGrams<3>(text, size, count, plan, hits, kinds_of);
    case 2: return ProbeGrams<2>(text, size, count, plan, hits, kinds_of);
    default: return ProbeGrams<1>(text, size, count, plan, hits, kinds_of);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
