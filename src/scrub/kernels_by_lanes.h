// The kernel of the instruction sets that have vectors, in C++ for any of them. Included as
// kernels_inline.h is.
#pragma once

#include <smmintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces,misc-*): see kernels_inline.h

// Loads from a table at four indices, two of which are in a number each: faster than AVX2's
// instruction for that where it is microcode.
[[gnu::always_inline]] inline __m128i FourAt(const std::uint32_t* words,
                                             const std::uint64_t* indices) {
  const auto at = [words](std::uint64_t index) {
    return static_cast<int>(FilterWord(words + index));
  };
  __m128i four = _mm_cvtsi32_si128(at(static_cast<std::uint32_t>(indices[0])));
  four = _mm_insert_epi32(four, at(indices[0] >> 32), 1);
  four = _mm_insert_epi32(four, at(static_cast<std::uint32_t>(indices[1])), 2);
  return _mm_insert_epi32(four, at(indices[1] >> 32), 3);
}

// `Lanes` names the instructions for a vector of `kCount` lanes of four bytes, as static functions:
// Load, ByteBehind (of each lane in a text, as its highest byte; up to four bytes behind the last
// lane may be loaded), LoadRows (16 bytes at each of kCount / 4 places), Repeat, Add, And,
// Multiply, MultiplyHalves (signed ones, and adds the two products), ShiftRight, Gather (loads from
// a table at indices), WhereAllOf (a bit for each lane all of whose bits in the second vector are
// in the first); and for bytes Rows (16 bytes, as often as they fit), Shuffle, WhereEqual,
// WhereGreater (of signed ones) and NotZero (a bit for each byte; kAllBytes). Where kGathers is
// false there are Store, and WordsAt (loads from a table at indices as Store left them), instead of
// Gather.
template <typename Lanes, unsigned kStride>
class LaneProbe {
 public:
  // Whether grams have a byte behind their lane (ProbePlan).
  static constexpr bool kHasFifth = kStride == 4;
  static_assert(kMostGramBytes == kLaneBytes + 1);
  // What is loaded from the beginning of a gram on, at most.
  static constexpr std::size_t kLoadedBytes = kHasFifth ? 2 * kLaneBytes : kLaneBytes;

  explicit LaneProbe(const ProbePlan& plan)
      : words_(plan.words),
        shift_(plan.shift),
        gram_(Lanes::Repeat(static_cast<std::uint32_t>(GramOf(~0U, plan.gram_size)))),
        factor_(Lanes::Repeat(kGramFactor)),
        half_factors_(Lanes::Repeat(std::uint32_t{kHighFactor} << 16 | kLowFactor)),
        bit_of_byte_(Lanes::Rows(kBitOfByte.data())),
        low_bits_(Lanes::Repeat(0x0F0F0F0F)) {}

  // A bit for each of the grams that begin at `text`, four bytes apart.
  [[gnu::always_inline]] unsigned Find(const char* text) const {
    if constexpr (Lanes::kGathers) {
      return WhereIn(Lanes::Gather(words_, IndicesAt(text)), text);
    } else {
      Indices indices;
      Prepare(text, indices);
      return Find(text, indices);
    }
  }

  // The same in two steps. Where in the filter their words are:
  struct alignas(typename Lanes::Vector) Indices {
    std::uint64_t pairs[Lanes::kCount / 2];  // NOLINT(*-avoid-c-arrays)
  };
  [[gnu::always_inline]] void Prepare(const char* text, Indices& indices) const {
    Lanes::Store(IndicesAt(text), indices.pairs);
  }
  [[gnu::always_inline]] unsigned Find(const char* text, const Indices& indices) const {
    return WhereIn(Lanes::WordsAt(words_, indices.pairs), text);
  }

 private:
  using Vector = typename Lanes::Vector;

  // The first four bytes of each gram.
  [[gnu::always_inline]] Vector FirstOfGrams(const char* text) const {
    const Vector lanes = Lanes::Load(text);
    return kHasFifth ? lanes : Lanes::And(lanes, gram_);
  }
  [[gnu::always_inline]] Vector IndicesAt(const char* text) const {
    const Vector products = Lanes::Multiply(FirstOfGrams(text), factor_);
    if constexpr (kHasFifth)
      return Lanes::ShiftRight(Lanes::Add(products, Lanes::ByteBehind(text)), shift_);
    else
      return Lanes::ShiftRight(products, shift_);
  }
  [[gnu::always_inline]] unsigned WhereIn(Vector words, const char* text) const {
    const Vector sums =
        Lanes::And(Lanes::MultiplyHalves(FirstOfGrams(text), half_factors_), low_bits_);
    return Lanes::WhereAllOf(words, Lanes::Shuffle(bit_of_byte_, sums));
  }

  const std::uint32_t* words_;
  unsigned shift_;
  Vector gram_;
  Vector factor_;
  Vector half_factors_;
  Vector bit_of_byte_;
  Vector low_bits_;
};

// Looks at windows: of those of a place, each has a lane.
template <typename Lanes>
class WindowProbe {
 public:
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t kPlaces = Lanes::kCount / kWindowGrams;  // at once

  explicit WindowProbe(const WindowFilter& filter)
      : words_(filter.words),
        shift_(filter.shift),
        first_halves_(Lanes::Rows(kFirstHalves.data())),
        last_halves_(Lanes::Add(first_halves_, Lanes::Repeat(0x01010101 * kLaneBytes))),
        bit_of_byte_(Lanes::Rows(kBitOfByte.data())) {}

  // A bit for each window, those of the first place lowest.
  [[gnu::always_inline]] unsigned Find(const char* text, const std::uint16_t* places) const {
    const Vector bytes = Lanes::LoadRows(text - (kWindowGrams - 1), places);
    const Vector folded = Lanes::Add(
        Lanes::Shuffle(bytes, first_halves_),
        Lanes::Multiply(Lanes::Shuffle(bytes, last_halves_), Lanes::Repeat(kFoldFactor)));
    const Vector indices =
        Lanes::ShiftRight(Lanes::Multiply(folded, Lanes::Repeat(kGramFactor)), shift_);
    const Vector half_factors = Lanes::Repeat(std::uint32_t{kHighFactor} << 16 | kLowFactor);
    const Vector sums =
        Lanes::And(Lanes::MultiplyHalves(folded, half_factors), Lanes::Repeat(0x0F0F0F0F));
    return Lanes::WhereAllOf(WordsAt(indices), Lanes::Shuffle(bit_of_byte_, sums));
  }

 private:
  static_assert(kWindowGrams == 4 && kWindowBytes == 2 * kLaneBytes && kLoadedAtWindow == 16);
  // Of the window at a place, of the one before it, and so on.
  static constexpr std::array<std::uint8_t, 16> kFirstHalves = {3, 4, 5, 6, 2, 3, 4, 5,
                                                                1, 2, 3, 4, 0, 1, 2, 3};

  [[gnu::always_inline]] Vector WordsAt(Vector indices) const {
    if constexpr (Lanes::kGathers) {
      return Lanes::Gather(words_, indices);
    } else {
      alignas(Vector) std::uint64_t pairs[Lanes::kCount / 2];  // NOLINT(*-avoid-c-arrays)
      Lanes::Store(indices, pairs);
      return Lanes::WordsAt(words_, pairs);
    }
  }

  const std::uint32_t* words_;
  unsigned shift_;
  Vector first_halves_;
  Vector last_halves_;
  Vector bit_of_byte_;
};

template <typename Lanes>
std::size_t FindWindows(const char* text, const std::uint16_t* places, std::size_t count,
                        const WindowFilter& filter, WindowHit* hits) {
  using Probe = WindowProbe<Lanes>;
  const Probe probe(filter);
  std::size_t found = 0;
  const auto put = [&](std::uint16_t place, unsigned windows) {
    constexpr unsigned kAll = (1U << kWindowGrams) - 1;
    hits[found] = {.place = place, .before = static_cast<std::uint16_t>(windows & kAll)};
    found += (windows & kAll) != 0 ? 1 : 0;
  };
  std::size_t at = 0;
  for (; at + Probe::kPlaces <= count; at += Probe::kPlaces) {
    const unsigned windows = probe.Find(text, places + at);
    for (unsigned i = 0; i < Probe::kPlaces; ++i) put(places[at + i], windows >> kWindowGrams * i);
  }
  if (at == count) return found;
  std::uint16_t last[Probe::kPlaces];  // NOLINT(*-avoid-c-arrays)
  for (std::size_t i = 0; i < Probe::kPlaces; ++i) {
    last[i] = places[at + i < count ? at + i : count - 1];
  }
  const unsigned windows = probe.Find(text, last);
  for (unsigned i = 0; at + i < count; ++i) put(last[i], windows >> kWindowGrams * i);
  return found;
}

constexpr std::size_t kBlockBytes = 64;
// A page behind another is not fetched ahead by the processor itself.
constexpr std::size_t kAhead = 4096;

// What rows have at the low half of each byte, and others at the high half.
template <typename Lanes>
class HalfRows {
 public:
  using Vector = typename Lanes::Vector;

  HalfRows(const std::uint8_t* low, const std::uint8_t* high)
      : low_(Lanes::Rows(low)), high_(Lanes::Rows(high)) {}

  [[gnu::always_inline]] Vector InBoth(Vector bytes) const {
    const Vector half = Lanes::Repeat(0x0F0F0F0F);
    return Lanes::And(Lanes::Shuffle(low_, Lanes::And(bytes, half)),
                      Lanes::Shuffle(high_, Lanes::And(Lanes::ShiftRight(bytes, 4), half)));
  }

 private:
  Vector low_;
  Vector high_;
};

// A bit for each byte of a block for which `is_it` has one.
template <typename Lanes, typename IsIt>
[[gnu::always_inline]] inline std::uint64_t WhereInBlock(const char* block, IsIt is_it) {
  std::uint64_t bytes = 0;
  for (std::size_t at = 0; at < kBlockBytes; at += sizeof(typename Lanes::Vector)) {
    bytes |= std::uint64_t{is_it(Lanes::Load(block + at))} << at;
  }
  return bytes;
}

template <typename Lanes>
[[gnu::always_inline]] inline std::uint64_t BytesOfRun(const char* block) {
  return WhereInBlock<Lanes>(block, [](typename Lanes::Vector bytes) {
    return Lanes::WhereGreater(bytes, Lanes::Repeat(kBelowRun * 0x01010101U));
  });
}

template <typename Lanes>
[[gnu::always_inline]] inline std::uint64_t LineBreaks(const char* block) {
  return WhereInBlock<Lanes>(block, [](typename Lanes::Vector bytes) {
    return Lanes::WhereEqual(bytes, Lanes::Repeat(0x0A0A0A0A));
  });
}

// `index`: of the block in RunBits. One byte more than the block is read.
template <typename Lanes>
[[gnu::always_inline]] inline void PutRunBitsOfBlock(const char* block, std::size_t index,
                                                     RunBits* run_bits) {
  static_assert(kRunBytes == kBlockBytes);
  run_bits->in_run[index] = BytesOfRun<Lanes>(block);
  run_bits->before_break[index] = LineBreaks<Lanes>(block + 1);
}

// Of the whole blocks among the first `count` bytes of the text, but for `done` of them.
template <typename Lanes>
void PutOtherRunBits(const char* text, std::size_t size, std::size_t count, std::size_t done,
                     RunBits* run_bits) {
  if (run_bits == nullptr) return;
  std::size_t end = (done + 1) * kBlockBytes;  // of a block
  for (; end < size && end <= count; end += kBlockBytes) {
    PutRunBitsOfBlock<Lanes>(text + end - kBlockBytes, end / kBlockBytes, run_bits);
  }
  if (size != count || end != size) return;
  // The last one, behind which nothing is.
  const char* const block = text + end - kBlockBytes;
  run_bits->in_run[end / kBlockBytes] = BytesOfRun<Lanes>(block);
  run_bits->before_break[end / kBlockBytes] = LineBreaks<Lanes>(block) >> 1;
}

// Writes down the line breaks that find_line_ends() finds.
template <typename Lanes>
class LineEndFinder {
 public:
  LineEndFinder(const char* text, std::size_t from, std::uint16_t* breaks)
      : text_(text), from_(from), breaks_(breaks) {}

  // A line break, which may be none of them.
  [[gnu::always_inline]] void LookAt(std::size_t line_break) {
    constexpr std::uint64_t kLastByte = std::uint64_t{1} << (kRunBytes - 1);
    const bool may_end_run = line_break < kRunBytes ||
                             ~(BytesOfRun<Lanes>(text_ + line_break - kRunBytes) | kLastByte) == 0;
    if (may_end_run) breaks_[count_++] = static_cast<std::uint16_t>(line_break - from_);
  }
  // In whole blocks, or up to the end. There is a block before `stop`.
  [[gnu::always_inline]] void LookBetween(std::size_t begin, std::size_t stop) {
    for (; begin + kBlockBytes <= stop; begin += kBlockBytes) LookIn(begin, begin);
    if (begin < stop) LookIn(stop - kBlockBytes, begin);
  }
  std::size_t count() const { return count_; }

 private:
  [[gnu::always_inline]] void LookIn(std::size_t block, std::size_t begin) {
    std::uint64_t found = LineBreaks<Lanes>(text_ + block) & ~std::uint64_t{0} << (begin - block);
    for (; found != 0; found &= found - 1) {
      LookAt(block + static_cast<std::size_t>(__builtin_ctzll(found)));
    }
  }

  const char* text_;
  std::size_t from_;
  std::uint16_t* breaks_;
  std::size_t count_ = 0;
};

template <typename Lanes>
[[gnu::noinline]] std::size_t FindLineEndsByBits(const char* text, std::size_t from,
                                                 std::size_t end, RunBits* run_bits,
                                                 std::uint16_t* breaks) {
  using Vector = typename Lanes::Vector;
  LineEndFinder<Lanes> finder(text, from, breaks);
  const std::size_t blocks = (end - from) / kBlockBytes;
  std::size_t known = from;  // what is before has been looked at
  if (from < kRunBytes) {
    run_bits->in_run[0] = run_bits->before_break[0] = 0;
    known = from + kBlockBytes;
    finder.LookBetween(from, known);
  } else {
    PutRunBitsOfBlock<Lanes>(text + from - kBlockBytes, 0, run_bits);
  }
  // Where a run ends with a line break, all bytes of the seven whole groups of eight before that
  // group in which the byte before the break is are of the run.
  constexpr std::size_t kEight = 8;
  constexpr std::size_t kEights = kRunBytes / kEight - 1;
  static_assert(sizeof(Vector) + kEights <= RunBits::kLongestLoad);
  // No line breaks follow behind the blocks; what else is loaded there does not count.
  __builtin_memset(run_bits->in_run + 1 + blocks, 0, sizeof(Vector) + kEights);
  __builtin_memset(run_bits->before_break + 1 + blocks, 0, sizeof(Vector) + kEights);
  const auto* const in_run = reinterpret_cast<const char*>(run_bits->in_run);
  const auto* const before_break = reinterpret_cast<const char*>(run_bits->before_break);
  const Vector none = Lanes::Repeat(0);
  for (std::size_t at = 0; at < (1 + blocks) * sizeof(std::uint64_t); at += sizeof(Vector)) {
    Vector all = Lanes::Load(in_run + at);
    for (std::size_t i = 1; i < kEights; ++i) all = Lanes::And(all, Lanes::Load(in_run + at + i));
    std::uint64_t found = Lanes::WhereEqual(all, Lanes::Repeat(~0U));
    found &= ~std::uint64_t{Lanes::WhereEqual(Lanes::Load(before_break + at + kEights), none)};
    for (; __builtin_expect(found != 0, 0); found &= found - 1) {
      const std::size_t eight = at + static_cast<std::size_t>(__builtin_ctzll(found)) + kEights;
      for (unsigned bits = static_cast<unsigned char>(before_break[eight]); bits != 0;
           bits &= bits - 1) {
        const auto byte = static_cast<std::size_t>(__builtin_ctz(bits));
        const std::size_t place = from + eight * kEight + byte + 1 - kBlockBytes;
        if (place >= known && place < end) finder.LookAt(place);
      }
    }
  }
  finder.LookBetween(from + blocks * kBlockBytes + 1, end);
  return finder.count();
}

template <typename Lanes>
std::size_t FindLineEnds(const char* text, std::size_t from, std::size_t end, RunBits* run_bits,
                         std::uint16_t* breaks) {
  if (end < kRunBytes) return FindBreaksSingly(text, from, end, from, breaks);
  if (run_bits != nullptr && end - from >= kBlockBytes) {
    return FindLineEndsByBits<Lanes>(text, from, end, run_bits, breaks);
  }
  LineEndFinder<Lanes> finder(text, from, breaks);
  finder.LookBetween(from, end);
  return finder.count();
}

// Which high half goes with which low ones in a character of base64.
struct Base64Rows {
  std::array<std::uint8_t, 16> low{};
  std::array<std::uint8_t, 16> high{};
};
constexpr Base64Rows kBase64Rows = [] {
  Base64Rows rows;
  for (unsigned c = 0; c < 128; ++c) {
    if (!IsBase64Character(static_cast<unsigned char>(c))) continue;
    rows.low[c & 15] |= static_cast<std::uint8_t>(1U << (c >> 4));
    rows.high[c >> 4] |= static_cast<std::uint8_t>(1U << (c >> 4));
  }
  return rows;
}();

template <typename Lanes>
std::size_t CountBase64(const char* text, std::size_t size) {
  if (size < kBlockBytes) return CountBase64Singly(text, size);
  static_assert(kMostBase64 == 2 * kBlockBytes);
  const HalfRows<Lanes> rows(kBase64Rows.low.data(), kBase64Rows.high.data());
  // Of the last bytes of a block.
  const auto count_in = [&](const char* block) {
    const std::uint64_t others = ~WhereInBlock<Lanes>(
        block, [&](typename Lanes::Vector bytes) { return Lanes::NotZero(rows.InBoth(bytes)); });
    return others == 0 ? kBlockBytes : static_cast<std::size_t>(__builtin_clzll(others));
  };
  const std::size_t last = count_in(text + size - kBlockBytes);
  // The rest, with others that were looked at before.
  return last < kBlockBytes ? last : size - kBlockBytes + count_in(text);
}

template <typename Lanes>
std::size_t CountRepeated(const char* text, std::size_t size, std::size_t period) {
  std::size_t same = 0;
  for (; same + sizeof(typename Lanes::Vector) <= size; same += sizeof(typename Lanes::Vector)) {
    const std::uint64_t here =
        Lanes::WhereEqual(Lanes::Load(text + same), Lanes::Load(text + same - period));
    if (here != Lanes::kAllBytes) return same + static_cast<std::size_t>(__builtin_ctzll(~here));
    __builtin_prefetch(text + same + 2 * kAhead);
  }
  return CountRepeatedSingly(text, size, period, same);
}

// Few grams, of which each stride is at most two.
template <typename Lanes>
std::size_t ProbeForFew(const char* text, std::size_t size, std::size_t count,
                        const ProbePlan& plan, std::uint16_t* hits) {
  using Vector = typename Lanes::Vector;
  PutOtherRunBits<Lanes>(text, size, count, 0, plan.run_bits);
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
    const Vector two =
        Lanes::And(first.InBoth(Lanes::Load(text + at)), second.InBoth(Lanes::Load(text + at + 1)));
    const std::uint64_t found =
        Lanes::NotZero(Lanes::And(two, third.InBoth(Lanes::Load(text + at + 2))));
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

// Writes the places of lanes, of which `found` has a bit for each from `begin` on; returns the end
// of them, behind which up to kSpareHits may be overwritten.
[[gnu::always_inline]] inline std::uint16_t* WritePlaces(std::uint64_t found, std::size_t begin,
                                                         std::uint16_t* out) {
  if (found == 0) return out;
  const auto count = static_cast<std::size_t>(__builtin_popcountll(found));
  const auto write = [&](std::size_t index) {
    constexpr std::uint64_t kNone = std::uint64_t{1} << 63;
    const auto lane = static_cast<std::size_t>(__builtin_ctzll(found | kNone));
    out[index] = static_cast<std::uint16_t>(begin + kLaneBytes * lane);
    found &= found - 1;
  };
  // Those count that are there; few have more.
  for (std::size_t i = 0; i <= kSpareHits; ++i) write(i);
  for (std::size_t i = kSpareHits + 1; __builtin_expect(i < count, 0); ++i) write(i);
  return out + count;
}

// What was written to this memory is there.
[[gnu::always_inline]] inline void IsWritten(const void* memory) {
  asm volatile("" : : "r"(memory) : "memory");
}

// Of each block of a batch a bit for each lane in which something was found; once for each place of
// a gram in a lane that is looked at.
constexpr std::size_t kBlocksInWord = 4;
using FoundInBlocks =
    std::uint16_t[kBatchBytes / kBlockBytes + kBlocksInWord];  // NOLINT(*-c-arrays)

template <unsigned kStride>
constexpr std::size_t kBlocksAtOnce = 14 * kStride / kLaneBytes;  // 8 are about as fast, 28 are not

// Of a shorter text nothing is looked at in blocks. What is written down can be read in other
// pieces only a while later: too late for a line.
template <typename Lanes, unsigned kStride>
constexpr std::size_t kLeastInBlocks = Lanes::kGathers ? 512 : kBlocksAtOnce<kStride> * kBlockBytes;

// Looks at blocks; returns how many, of those that end before `end`. What is found is written down:
// to branch at each block that has something would take longer than the rest, since what it has
// waits for the filter.
template <typename Lanes, unsigned kStride>
[[gnu::always_inline]] inline std::size_t GatherBlocks(const LaneProbe<Lanes, kStride>& probe,
                                                       const char* text, std::size_t end,
                                                       RunBits* run_bits, FoundInBlocks* found) {
  static_assert(kLaneBytes * Lanes::kCount == kBlockBytes);
  constexpr std::size_t kOffsets = kLaneBytes / kStride;
  std::size_t blocks = 0;
#pragma GCC unroll 2
  for (; (blocks + 1) * kBlockBytes <= end; ++blocks) {
    const char* const at = text + blocks * kBlockBytes;
    __builtin_prefetch(at + kAhead);
    for (std::size_t offset = 0; offset < kOffsets; ++offset) {
      found[offset][blocks] = static_cast<std::uint16_t>(probe.Find(at + offset * kStride));
    }
    if (run_bits != nullptr) PutRunBitsOfBlock<Lanes>(at, 1 + blocks, run_bits);
  }
  return blocks;
}

// The same where there is no fast way to load from many places: looks at several blocks at once.
// First all indices are written down, then all words loaded: so these wait neither for the text nor
// for the way out of vector registers.
template <typename Lanes, unsigned kStride>
[[gnu::always_inline]] inline std::size_t ProbeBlocks(const LaneProbe<Lanes, kStride>& probe,
                                                      const char* text, std::size_t end,
                                                      RunBits* run_bits, FoundInBlocks* found) {
  constexpr std::size_t kVectorBytes = kLaneBytes * Lanes::kCount;
  constexpr std::size_t kVectors = kBlockBytes / kVectorBytes;
  constexpr std::size_t kOffsets = kLaneBytes / kStride;
  constexpr std::size_t kAtOnce = kBlocksAtOnce<kStride>;
  typename LaneProbe<Lanes, kStride>::Indices indices[kAtOnce][kOffsets]
                                                     [kVectors];  // NOLINT(*-c-arrays)
  std::size_t blocks = 0;
  const auto for_each = [&](auto act) {
    for (std::size_t block = 0; block < kAtOnce; ++block) {
      for (std::size_t offset = 0; offset < kOffsets; ++offset) {
        act(text + (blocks + block) * kBlockBytes + offset * kStride, block, offset);
      }
    }
  };
  for (; (blocks + kAtOnce) * kBlockBytes <= end; blocks += kAtOnce) {
    for_each([&](const char* at, std::size_t block, std::size_t offset) {
      if (offset == 0) {
        __builtin_prefetch(at + kAhead);
        if (run_bits != nullptr) PutRunBitsOfBlock<Lanes>(at, 1 + blocks + block, run_bits);
      }
      for (std::size_t i = 0; i < kVectors; ++i) {
        probe.Prepare(at + i * kVectorBytes, indices[block][offset][i]);
      }
    });
    IsWritten(indices);
    for_each([&](const char* at, std::size_t block, std::size_t offset) {
      unsigned lanes = 0;
      for (std::size_t i = 0; i < kVectors; ++i) {
        const auto& here = indices[block][offset][i];
        lanes |= probe.Find(at + i * kVectorBytes, here) << (i * Lanes::kCount);
      }
      found[offset][blocks + block] = static_cast<std::uint16_t>(lanes);
    });
  }
  if (blocks != 0) {
    // The text could be read out of them.
    const auto zero = Lanes::Repeat(0);
    for (auto& block : indices) {
      for (auto& offset : block) {
        for (auto& vector : offset) Lanes::Store(zero, vector.pairs);
      }
    }
    IsWritten(indices);
  }
  return blocks;
}

// Looks at the places from `from` on; returns the end of what it wrote to `out`. `end`: what begins
// before it can be loaded with all that is loaded behind it.
template <typename Lanes, unsigned kStride>
[[gnu::always_inline]] inline std::uint16_t* ProbeRest(const LaneProbe<Lanes, kStride>& probe,
                                                       const char* text, std::size_t size,
                                                       std::size_t count, std::size_t end,
                                                       const ProbePlan& plan, std::size_t from,
                                                       std::uint16_t* out) {
  constexpr std::size_t kVectorBytes = kLaneBytes * Lanes::kCount;
  for (std::size_t offset = 0; offset < kLaneBytes; offset += kStride) {
    std::size_t at = from + offset;
    std::uint64_t lanes = 0;
    unsigned known = 0;  // lanes
    const auto add = [&](std::uint64_t more, std::size_t number) {
      lanes |= more << known;
      known += static_cast<unsigned>(number);
      at += kLaneBytes * number;
      if (known + Lanes::kCount <= 64) return;
      out = WritePlaces(lanes, at - kLaneBytes * known, out);
      lanes = 0;
      known = 0;
    };
    while (at + kVectorBytes - kLaneBytes < end) add(probe.Find(text + at), Lanes::kCount);
    // The last lanes, with others that were looked at before.
    if (at < end) {
      const std::size_t last = (end - at + kLaneBytes - 1) / kLaneBytes;
      const std::size_t others = Lanes::kCount - last;
      if (at >= kLaneBytes * others) {
        add(probe.Find(text + at - kLaneBytes * others) >> others, last);
      }
    }
    out = WritePlaces(lanes, at - kLaneBytes * known, out);
    out += ProbeSingly(text, size, count, plan, at, kLaneBytes, out);
  }
  return out;
}

template <typename Lanes, unsigned kStride>
[[gnu::noinline]] std::uint16_t* ProbeBatch(const char* text, std::size_t size, std::size_t count,
                                            std::size_t end, const ProbePlan& plan,
                                            std::uint16_t* out) {
  const LaneProbe<Lanes, kStride> probe(plan);
  FoundInBlocks found[kLaneBytes / kStride];  // NOLINT(*-avoid-c-arrays)
  const std::size_t blocks = [&] {
    if constexpr (Lanes::kGathers)
      return GatherBlocks<Lanes, kStride>(probe, text, end, plan.run_bits, found);
    else
      return ProbeBlocks<Lanes, kStride>(probe, text, end, plan.run_bits, found);
  }();
  PutOtherRunBits<Lanes>(text, size, count, blocks, plan.run_bits);
  out = ProbeRest(probe, text, size, count, end, plan, blocks * kBlockBytes, out);
  for (std::size_t offset = 0; offset < kLaneBytes; offset += kStride) {
    std::uint16_t* const all = found[offset / kStride];
    for (std::size_t i = 0; i < kBlocksInWord - 1; ++i) all[blocks + i] = 0;
    for (std::size_t first = 0; first < blocks; first += kBlocksInWord) {
      std::uint64_t word = 0;
      __builtin_memcpy(&word, all + first, sizeof(word));
      out = WritePlaces(word, first * kBlockBytes + offset, out);
    }
  }
  return out;
}

template <typename Lanes, unsigned kStride>
std::size_t ProbeEach(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                      std::uint16_t* hits) {
  constexpr std::size_t kBehind = LaneProbe<Lanes, kStride>::kLoadedBytes - 1;
  const std::size_t whole = size < kBehind ? 0 : size - kBehind;
  const std::size_t end = whole < count ? whole : count;
  std::uint16_t* last = hits;
  if (end >= kLeastInBlocks<Lanes, kStride>) {
    last = ProbeBatch<Lanes, kStride>(text, size, count, end, plan, hits);
  } else {
    PutOtherRunBits<Lanes>(text, size, count, 0, plan.run_bits);
    const LaneProbe<Lanes, kStride> probe(plan);
    last = ProbeRest(probe, text, size, count, end, plan, 0, hits);
  }
  return static_cast<std::size_t>(last - hits);
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
