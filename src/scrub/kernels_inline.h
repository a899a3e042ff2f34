// The part of the kernels that is the same in C++ for all instruction sets. Included by one file
// for each, which is compiled for it: so everything here is local to that file, and nothing of the
// standard library is called that the linker could take from it for others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scrub/kernels.h"

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see above

// Bit i: whether the bytes i to i + gram_size - 1 are all members.
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
  const std::uint64_t ends = stride == 8   ? 0x8080808080808080
                             : stride == 4 ? 0x8888888888888888
                             : stride == 2 ? 0xAAAAAAAAAAAAAAAA
                                           : ~std::uint64_t{0};
  return ends & ((std::uint64_t{1} << kStepBytes) - 1);
}

// Writes where bits are set, `base` added; may write up to four more behind them.
[[gnu::always_inline]] inline std::uint16_t* WritePlaces(std::uint64_t bits, std::size_t base,
                                                         std::uint16_t* out) {
  // Most steps have few: what is written beyond their number is written over.
  constexpr int kAtOnce = 4;
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

// Calls `mask_of` with each whole piece of kMaskBytes that begins a step. The others are at the
// end.
template <typename MaskOf>
[[gnu::always_inline]] inline void SetMasks(const char* text, std::size_t size, std::size_t steps,
                                            std::uint64_t* masks, MaskOf mask_of) {
  std::size_t step = 0;
  for (; step < steps && step * kStepBytes + kMaskBytes <= size; ++step) {
    masks[step] = mask_of(text + step * kStepBytes);
  }
  for (; step < steps; ++step) {
    const std::size_t begin = step * kStepBytes;
    if (begin >= size) {
      masks[step] = 0;
    } else if (size >= kMaskBytes) {
      masks[step] = mask_of(text + size - kMaskBytes) >> (begin + kMaskBytes - size);
    } else {
      char padded[kMaskBytes] = {};  // NOLINT(*-avoid-c-arrays)
      __builtin_memcpy(padded, text + begin, size - begin);
      masks[step] = mask_of(padded) & ((std::uint64_t{1} << (size - begin)) - 1);
      __builtin_memset(padded, 0, sizeof(padded));
      asm volatile("" : : "r"(padded) : "memory");
    }
  }
}

template <unsigned kGramSize, std::size_t kSteps>
[[gnu::always_inline]] inline std::size_t ProbeEach(const char* text, std::size_t size,
                                                    std::size_t steps, const std::uint64_t* masks,
                                                    const ProbePlan& plan, std::uint16_t* hits) {
  std::uint16_t places[kSteps * kStepBytes + 4];  // NOLINT(*-avoid-c-arrays): not initialised
  std::uint16_t* end = places;
  const std::uint64_t ends = StrideEnds(plan.stride);
  for (std::size_t step = 0; step < steps; ++step) {
    end = WritePlaces(Runs(masks[step], kGramSize) & ends, step * kStepBytes, end);
  }
  const std::uint32_t* const words = plan.words;
  const unsigned shift = plan.shift;
  std::size_t found = 0;
  for (const std::uint16_t* at = places; at != end; ++at) {
    const std::size_t left = size - *at;
    const std::uint64_t bytes = __builtin_expect(left >= sizeof(std::uint64_t), 1)
                                    ? LoadEight(text + *at)
                                    : LoadFewer(text + *at, left);
    const Place place = PlaceOf(HashOf(BytesOf(bytes, kGramSize)), shift);
    // Others may add bits meanwhile.
    const std::uint32_t word = __atomic_load_n(words + place.word, __ATOMIC_RELAXED);
    hits[found] = *at;
    found += static_cast<std::size_t>((~word & place.bits) == 0);
  }
  return found;
}

template <std::size_t kSteps>
[[gnu::always_inline]] inline std::size_t ProbeSteps(const char* text, std::size_t size,
                                                     std::size_t steps, const std::uint64_t* masks,
                                                     const ProbePlan& plan, std::uint16_t* hits) {
  switch (plan.gram_size) {  // so that each is a loop of its own
    case 8: return ProbeEach<8, kSteps>(text, size, steps, masks, plan, hits);
    case 5: return ProbeEach<5, kSteps>(text, size, steps, masks, plan, hits);
    case 3: return ProbeEach<3, kSteps>(text, size, steps, masks, plan, hits);
    case 2: return ProbeEach<2, kSteps>(text, size, steps, masks, plan, hits);
    default: return ProbeEach<1, kSteps>(text, size, steps, masks, plan, hits);
  }
}

// A line of a log, with little memory to touch.
constexpr std::size_t kFewSteps = 6;
[[gnu::noinline]] std::size_t ProbeFew(const char* text, std::size_t size, std::size_t steps,
                                       const std::uint64_t* masks, const ProbePlan& plan,
                                       std::uint16_t* hits) {
  return ProbeSteps<kFewSteps>(text, size, steps, masks, plan, hits);
}
[[gnu::noinline]] std::size_t ProbeMany(const char* text, std::size_t size, std::size_t steps,
                                        const std::uint64_t* masks, const ProbePlan& plan,
                                        std::uint16_t* hits) {
  return ProbeSteps<kBatchSteps>(text, size, steps, masks, plan, hits);
}

}  // namespace
}  // namespace qarion::secrets::scrub
