// The kernel of the instruction sets that have vectors, in C++ for any of them. Included as
// kernels_inline.h is.
#pragma once

#include <smmintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see kernels_inline.h

// Loads from a table at four indices: faster than the instructions for that, which are microcode.
[[gnu::always_inline]] inline __m128i FourAt(const std::uint32_t* words, __m128i indices) {
  const auto first = static_cast<std::uint64_t>(_mm_cvtsi128_si64(indices));
  const auto last = static_cast<std::uint64_t>(_mm_extract_epi64(indices, 1));
  const auto at = [words](std::uint64_t index) {
    return static_cast<int>(FilterWord(words + index));
  };
  __m128i four = _mm_cvtsi32_si128(at(static_cast<std::uint32_t>(first)));
  four = _mm_insert_epi32(four, at(first >> 32), 1);
  four = _mm_insert_epi32(four, at(static_cast<std::uint32_t>(last)), 2);
  return _mm_insert_epi32(four, at(last >> 32), 3);
}

// `Lanes` names the instructions for a vector of `kCount` lanes of four bytes, as static functions:
// Load, Repeat, And, Multiply, MultiplyHalves (signed ones, and adds the two products), ShiftRight,
// WordsAt (loads from a table at the indices in the lanes), WhereAllOf (a bit for each lane all of
// whose bits in the second vector are in the first); and for bytes Rows (16 bytes, as often as they
// fit), Shuffle, WhereEqual and NotZero (a bit for each byte; kAllBytes).
template <typename Lanes>
class LaneProbe {
 public:
  explicit LaneProbe(const ProbePlan& plan)
      : words_(plan.words),
        shift_(plan.shift),
        gram_(Lanes::Repeat(GramOf(~0U, plan.gram_size))),
        factor_(Lanes::Repeat(kGramFactor)),
        half_factors_(Lanes::Repeat(std::uint32_t{kHighFactor} << 16 | kLowFactor)),
        bit_of_byte_(Lanes::Rows(kBitOfByte.data())),
        low_bits_(Lanes::Repeat(0x0F0F0F0F)) {}

  // A bit for each of the grams that begin at `text`, four bytes apart.
  [[gnu::always_inline]] unsigned Find(const char* text) const {
    const Vector grams = Lanes::And(Lanes::Load(text), gram_);
    const Vector indices = Lanes::ShiftRight(Lanes::Multiply(grams, factor_), shift_);
    const Vector sums = Lanes::And(Lanes::MultiplyHalves(grams, half_factors_), low_bits_);
    return Lanes::WhereAllOf(Lanes::WordsAt(words_, indices), Lanes::Shuffle(bit_of_byte_, sums));
  }

 private:
  using Vector = typename Lanes::Vector;

  const std::uint32_t* words_;
  unsigned shift_;
  Vector gram_;
  Vector factor_;
  Vector half_factors_;
  Vector bit_of_byte_;
  Vector low_bits_;
};

[[gnu::always_inline]] inline std::uint16_t* WritePlaces(unsigned lanes, std::size_t first,
                                                         std::uint16_t* out) {
  for (; __builtin_expect(lanes != 0, 0); lanes &= lanes - 1) {
    const auto lane = static_cast<std::size_t>(__builtin_ctz(lanes));
    *out++ = static_cast<std::uint16_t>(first + kMostGramBytes * lane);
  }
  return out;
}

constexpr std::size_t kBlockBytes = 64;

// What rows have at the low half of each byte, and others at the high half.
template <typename Lanes>
class HalfRows {
 public:
  using Vector = typename Lanes::Vector;

  HalfRows(const std::uint8_t* low, const std::uint8_t* high)
      : low_(Lanes::Rows(low)), high_(Lanes::Rows(high)) {}

  [[gnu::always_inline]] Vector InBoth(const char* text) const {
    const Vector half = Lanes::Repeat(0x0F0F0F0F);
    const Vector bytes = Lanes::Load(text);
    return Lanes::And(Lanes::Shuffle(low_, Lanes::And(bytes, half)),
                      Lanes::Shuffle(high_, Lanes::And(Lanes::ShiftRight(bytes, 4), half)));
  }

 private:
  Vector low_;
  Vector high_;
};

template <typename Lanes>
std::size_t FindLineEnds(const char* text, std::size_t from, std::size_t end, const ByteRows& set,
                         std::uint16_t* breaks) {
  using Vector = typename Lanes::Vector;
  // All are written down first: to branch at each of them would take longer than all the rest.
  const Vector line_break = Lanes::Repeat(0x0A0A0A0A);
  constexpr std::uint64_t kNone = std::uint64_t{1} << 63;
  std::uint16_t* last = breaks;
  // Those of the block at `block` that are at `begin` or behind it.
  const auto write_from = [&](std::size_t begin, std::size_t block) {
    std::uint64_t here = 0;
    for (std::size_t at = 0; at < kBlockBytes; at += sizeof(Vector)) {
      here |= std::uint64_t{Lanes::WhereEqual(Lanes::Load(text + block + at), line_break)} << at;
    }
    here >>= begin - block;
    const auto write = [&](std::size_t index) {
      const auto byte = static_cast<std::size_t>(__builtin_ctzll(here | kNone));
      last[index] = static_cast<std::uint16_t>(begin - from + byte);
      here &= here - 1;
    };
    const auto count = static_cast<std::size_t>(__builtin_popcountll(here));
    write(0);  // counts only if there is one; there is room, as no more were written than looked at
    for (std::size_t i = 1; __builtin_expect(i < count, 0); ++i) write(i);
    last += count;
  };
  std::size_t begin = from;
  for (; begin + kBlockBytes <= end; begin += kBlockBytes) write_from(begin, begin);
  if (begin < end && end >= kBlockBytes) {
    write_from(begin, end - kBlockBytes);
  } else {
    last += FindBreaksSingly(text, begin, end, from, last);
  }

  const HalfRows<Lanes> rows(set.data(), kBitOfHighHalf);
  const auto are_in = [&](const char* bytes) {
    return Lanes::NotZero(rows.InBoth(bytes)) == Lanes::kAllBytes;
  };
  const auto may_end_run = [&](std::size_t place) {
    if (place < kRunBytes) return true;
    const char* const run = text + place - kRunBytes;
    constexpr std::size_t kLastVector = kRunBytes - 1 - sizeof(Vector);
    bool all_are_in = are_in(run + kLastVector);
    for (std::size_t at = 0; at < kLastVector; at += sizeof(Vector)) all_are_in &= are_in(run + at);
    return all_are_in;
  };
  std::size_t count = 0;
  for (const std::uint16_t* at = breaks; at != last; ++at) {
    breaks[count] = *at;
    count += may_end_run(from + *at);
  }
  return count;
}

// Few grams, of which each stride is at most two.
template <typename Lanes>
std::size_t ProbeForFew(const char* text, std::size_t size, std::size_t count,
                        const ProbePlan& plan, std::uint16_t* hits) {
  using Vector = typename Lanes::Vector;
  const auto rows = [&](std::size_t i) {
    return HalfRows<Lanes>(plan.few->low[i].data(), plan.few->high[i].data());
  };
  const HalfRows<Lanes> first = rows(0);
  const HalfRows<Lanes> second = rows(1);
  const HalfRows<Lanes> third = rows(2);
  constexpr std::size_t kAround = sizeof(Vector) + FewGrams::kBytes - 1;
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  // A bit for each place from `at` on.
  const auto find = [&](std::size_t at) {
    const Vector two = Lanes::And(first.InBoth(text + at), second.InBoth(text + at + 1));
    const std::uint64_t found = Lanes::NotZero(Lanes::And(two, third.InBoth(text + at + 2)));
    return found & (plan.stride == 2 ? kAll / 3 << at % 2 : kAll);
  };
  std::uint16_t* out = hits;
  const auto write = [&](std::uint64_t found, std::size_t at) {
    for (; __builtin_expect(found != 0, 0); found &= found - 1) {
      const auto byte = static_cast<std::size_t>(__builtin_ctzll(found));
      *out++ = static_cast<std::uint16_t>(at + byte);
    }
  };
  std::size_t begin = 0;
  for (; begin + sizeof(Vector) <= count && begin + kAround <= size; begin += sizeof(Vector)) {
    write(find(begin), begin);
  }
  // The last ones, with others that were looked at before.
  if (begin < count && begin + FewGrams::kBytes <= size && size >= kAround) {
    const std::size_t at = begin + kAround <= size ? begin : size - kAround;
    const std::size_t end = at + sizeof(Vector) < count ? at + sizeof(Vector) : count;
    write(find(at) & kAll >> (64 - (end - at)) & kAll << (begin - at), at);
    begin = end + (plan.stride == 2 ? end % 2 : 0);
  }
  out += ProbeSingly(text, size, count, plan, begin, plan.stride, out);
  return static_cast<std::size_t>(out - hits);
}

template <typename Lanes, unsigned kStride>
std::size_t ProbeEach(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                      std::uint16_t* hits) {
  constexpr std::size_t kVectorBytes = kMostGramBytes * Lanes::kCount;
  // A page behind another is not fetched ahead by the processor itself.
  constexpr std::size_t kAhead = 4096;
  const LaneProbe<Lanes> probe(plan);
  // What begins before `end` can be loaded in whole lanes.
  const std::size_t whole = size < kMostGramBytes - 1 ? 0 : size - (kMostGramBytes - 1);
  const std::size_t end = whole < count ? whole : count;
  std::uint16_t* out = hits;
  std::size_t begin = 0;
  for (; begin + kBlockBytes <= end; begin += kBlockBytes) {
    __builtin_prefetch(text + begin + kAhead);
    for (std::size_t at = begin; at < begin + kMostGramBytes; at += kStride) {
      unsigned found = 0;
      for (std::size_t i = 0; i < kBlockBytes / kVectorBytes; ++i) {
        found |= probe.Find(text + at + i * kVectorBytes) << (i * Lanes::kCount);
      }
      out = WritePlaces(found, at, out);
    }
  }
  for (std::size_t offset = 0; offset < kMostGramBytes; offset += kStride) {
    std::size_t at = begin + offset;
    for (; at + kVectorBytes - kMostGramBytes < end; at += kVectorBytes) {
      out = WritePlaces(probe.Find(text + at), at, out);
    }
    // The last lanes, with others that were looked at before.
    if (at < end) {
      const std::size_t lanes = (end - at + kMostGramBytes - 1) / kMostGramBytes;
      const std::size_t known = Lanes::kCount - lanes;
      if (at >= kMostGramBytes * known) {
        const unsigned found = probe.Find(text + at - kMostGramBytes * known);
        out = WritePlaces(found >> known, at, out);
        at += kMostGramBytes * lanes;
      }
    }
    out += ProbeSingly(text, size, count, plan, at, kMostGramBytes, out);
  }
  return static_cast<std::size_t>(out - hits);
}

template <typename Lanes>
std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  if (plan.few != nullptr) return ProbeForFew<Lanes>(text, size, count, plan, hits);
  switch (plan.stride) {
    case 4: return ProbeEach<Lanes, 4>(text, size, count, plan, hits);
    case 2: return ProbeEach<Lanes, 2>(text, size, count, plan, hits);
    default: return ProbeEach<Lanes, 1>(text, size, count, plan, hits);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
