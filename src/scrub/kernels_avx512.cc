#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kVectorBytes = sizeof(__m512i);

// What three bits give, as a ternary logic instruction takes it.
constexpr int kAnyOfThree = 0xFE;
constexpr int kFirstOrBothOthers = 0xF8;

// The kinds of 64 bytes.
class KindTable {
 public:
  explicit KindTable(const ByteKinds& kinds)
      : kinds_(kinds.by_byte()),
        has_high_(kinds.has_high()),
        first_half_(_mm512_loadu_si512(kinds_)),
        second_half_(_mm512_loadu_si512(kinds_ + 64)) {}

  [[gnu::always_inline]] __m512i Of(__m512i bytes) const {
    const __m512i low = _mm512_permutex2var_epi8(first_half_, bytes, second_half_);
    const __mmask64 is_high = _mm512_movepi8_mask(bytes);
    return __builtin_expect(is_high == 0, 1) ? low : WithHigh(low, is_high, bytes);
  }

 private:
  __m512i WithHigh(__m512i low, __mmask64 is_high, __m512i bytes) const {
    const __m512i outside = _mm512_set1_epi8(static_cast<char>(ByteKind::kOutside));
    if (!has_high_) return _mm512_mask_mov_epi8(low, is_high, outside);
    const __m512i high = _mm512_permutex2var_epi8(_mm512_loadu_si512(kinds_ + 128), bytes,
                                                  _mm512_loadu_si512(kinds_ + 192));
    return _mm512_mask_mov_epi8(low, is_high, high);
  }

  const ByteKind* kinds_;
  bool has_high_;
  __m512i first_half_;
  __m512i second_half_;
};

// The bytes from `begin` on, 0 behind the text.
[[gnu::always_inline]] inline __m512i Load(const char* text, std::size_t size, std::size_t begin) {
  if (__builtin_expect(begin + kVectorBytes <= size, 1)) return _mm512_loadu_si512(text + begin);
  if (begin >= size) return _mm512_setzero_si512();
  return _mm512_maskz_loadu_epi8(LowBits(size - begin), text + begin);
}

// What is left of a batch for the filter: the hashes of its grams that are looked up. Where they
// stand is found out again for the few that are in the filter.
struct Probes {
  std::uint32_t hashes[kBatchBytes / 4 + 16];           // NOLINT(*-avoid-c-arrays)
  std::uint16_t looked_up[kBatchBytes / kVectorBytes];  // NOLINT(*-avoid-c-arrays): by vector
  std::size_t count;
};

// The place of the probe with this number.
std::uint16_t PlaceOfProbe(const Probes& probes, std::size_t number, unsigned stride) {
  std::size_t vector = 0;
  for (;; ++vector) {
    const auto here = static_cast<std::size_t>(__builtin_popcount(probes.looked_up[vector]));
    if (number < here) break;
    number -= here;
  }
  const unsigned bit = _pdep_u32(1U << number, probes.looked_up[vector]);
  return static_cast<std::uint16_t>(
      vector * kVectorBytes + stride * static_cast<unsigned>(__builtin_ctz(bit)) + (stride - 1));
}

std::size_t LookUp(const Probes& probes, const ProbePlan& plan, std::uint16_t* hits) {
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(plan.shift));
  const __m128i first_shift = _mm_cvtsi32_si128(static_cast<int>(plan.shift) - 5);
  const __m128i second_shift = _mm_cvtsi32_si128(static_cast<int>(plan.shift) - 10);
  const __m512i one = _mm512_set1_epi32(1);
  std::size_t found = 0;
  for (std::size_t i = 0; i < probes.count; i += 16) {
    const auto valid = static_cast<__mmask16>(LowBits(probes.count - i));
    const __m512i hash = _mm512_loadu_si512(probes.hashes + i);
    const __m512i word =
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), valid, _mm512_srl_epi32(hash, shift),
                                    plan.words, sizeof(std::uint32_t));
    // Rotates by the low five bits.
    const __m512i bits =
        _mm512_or_si512(_mm512_rolv_epi32(one, _mm512_srl_epi32(hash, first_shift)),
                        _mm512_rolv_epi32(one, _mm512_srl_epi32(hash, second_shift)));
    unsigned has = _mm512_mask_testn_epi32_mask(valid, _mm512_andnot_si512(word, bits), bits);
    for (; __builtin_expect(has != 0, 0); has &= has - 1) {
      const std::size_t number = i + static_cast<std::size_t>(__builtin_ctz(has));
      hits[found++] = PlaceOfProbe(probes, number, plan.stride);
    }
  }
  return found;
}

// What was just written cannot be loaded in larger pieces at once: that would cost more than it
// gives where it is little.
std::size_t LookUpFew(const Probes& probes, const ProbePlan& plan, std::uint16_t* hits) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < probes.count; ++i) {
    if (__builtin_expect(IsInFilter(plan, probes.hashes[i]), 0)) {
      hits[found++] = PlaceOfProbe(probes, i, plan.stride);
    }
  }
  return found;
}

// The places of a vector, of kStride bytes each, whose grams begin before `count` and lie in the
// text.
template <unsigned kGramSize, unsigned kStride>
[[gnu::always_inline]] inline std::uint32_t Valid(std::size_t size, std::size_t count,
                                                  std::size_t begin) {
  if (__builtin_expect(begin + kVectorBytes <= count && begin + kVectorBytes + kGramSize <= size,
                       1)) {
    return ~0U;
  }
  const std::size_t whole = size < kGramSize ? 0 : size - kGramSize + 1;
  const std::size_t end = whole < count ? whole : count;
  return end <= begin ? 0 : static_cast<std::uint32_t>(LowBits((end - begin) / kStride));
}

[[gnu::always_inline]] inline void Prefetch(const char* text) {
  __builtin_prefetch(text + kBatchBytes);  // beyond a page the processor does not fetch ahead
}

std::size_t ProbeByFour(const char* text, std::size_t size, std::size_t count,
                        const ProbePlan& plan, std::uint16_t* hits) {
  const KindTable kinds(*plan.kinds);
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i allowed = _mm512_movm_epi8(plan.kinds->allowed());  // by signature
  const __m512i first_factor = _mm512_set1_epi32(static_cast<int>(kFirstFactor));
  const __m512i last_factor = _mm512_set1_epi32(static_cast<int>(kLastFactor));
  Probes probes;
  probes.count = 0;
  for (std::size_t begin = 0; begin < count; begin += kVectorBytes) {
    Prefetch(text + begin);
    const __m512i first = Load(text, size, begin + 3);
    const __m512i last = Load(text, size, begin + 4);
    const __m512i four = kinds.Of(first);
    const __m512i three = _mm512_ternarylogic_epi32(
        four, _mm512_srli_epi32(four, 16), _mm512_srli_epi32(kinds.Of(last), 24), kAnyOfThree);
    // In the lowest byte of each; what is in the others does not count.
    const __m512i signature = _mm512_or_si512(three, _mm512_srli_epi32(three, 8));
    const auto looked_up = static_cast<__mmask16>(
        _mm512_test_epi32_mask(_mm512_permutexvar_epi8(signature, allowed), one) &
        Valid<5, 4>(size, count, begin));
    const __m512i hash = _mm512_add_epi32(_mm512_mullo_epi32(first, first_factor),
                                          _mm512_mullo_epi32(last, last_factor));
    _mm512_storeu_si512(probes.hashes + probes.count, _mm512_maskz_compress_epi32(looked_up, hash));
    probes.looked_up[begin / kVectorBytes] = looked_up;
    probes.count += static_cast<std::size_t>(__builtin_popcount(looked_up));
  }
  return (probes.count <= 16 ? LookUpFew : LookUp)(probes, plan, hits);
}

std::size_t ProbeByEight(const char* text, std::size_t size, std::size_t count,
                         const ProbePlan& plan, std::uint16_t* hits) {
  const KindTable kinds(*plan.kinds);
  const __m512i factors =
      _mm512_set1_epi64(static_cast<long long>(std::uint64_t{kLastFactor} << 32 | kFirstFactor));
  Probes probes;
  probes.count = 0;
  for (std::size_t begin = 0; begin < count; begin += kVectorBytes) {
    Prefetch(text + begin);
    const __m512i bytes = Load(text, size, begin + 7);
    const __m512i of_byte = kinds.Of(bytes);
    const auto has = [&](ByteKind kind) {
      return _mm512_test_epi64_mask(of_byte, _mm512_set1_epi8(static_cast<char>(kind)));
    };
    const auto looked_up = static_cast<__mmask8>(~has(ByteKind::kOutside) &
                                                 (has(ByteKind::kMark) | ~has(ByteKind::kPlain)) &
                                                 Valid<8, 8>(size, count, begin));
    const __m512i products = _mm512_mullo_epi32(bytes, factors);
    const __m256i hash =
        _mm512_cvtepi64_epi32(_mm512_add_epi32(products, _mm512_srli_epi64(products, 32)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(probes.hashes + probes.count),
                        _mm256_maskz_compress_epi32(looked_up, hash));
    probes.looked_up[begin / kVectorBytes] = looked_up;
    probes.count += static_cast<std::size_t>(__builtin_popcount(looked_up));
  }
  return (probes.count <= 16 ? LookUpFew : LookUp)(probes, plan, hits);
}

// A class that has few patterns in most sets, so most of the text is outside of its windows.
std::size_t ProbeByTwo(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                       std::uint16_t* hits) {
  const KindTable kinds(*plan.kinds);
  const __m512i high_half = _mm512_set1_epi16(static_cast<short>(0xFF00));
  std::uint16_t places[kBatchBytes / 2 + 4];  // NOLINT(*-avoid-c-arrays): not initialised
  std::uint16_t* end = places;
  for (std::size_t begin = 0; begin < count; begin += kVectorBytes) {
    Prefetch(text + begin);
    const __m512i pair = kinds.Of(Load(text, size, begin + 1));
    const __m512i last = kinds.Of(Load(text, size, begin + 2));
    const __m512i of_gram = _mm512_ternarylogic_epi32(pair, last, high_half, kFirstOrBothOthers);
    const auto has = [&](ByteKind kind) {
      return _mm512_test_epi16_mask(of_gram, _mm512_set1_epi8(static_cast<char>(kind)));
    };
    const auto looked_up = ~has(ByteKind::kOutside) &
                           (has(ByteKind::kMark) | ~has(ByteKind::kPlain)) &
                           Valid<3, 2>(size, count, begin);
    if (looked_up == 0) continue;
    end = WritePlaces<4>(_pdep_u64(looked_up, StrideEnds(2)), begin, end);
  }
  return LookUpPlaces<3>(text, size, places, end, plan, hits);
}

std::size_t ProbeEach(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                      std::uint16_t* hits) {
  const KindTable kinds(*plan.kinds);
  return ProbeAny(text, size, count, plan, hits, [&](const char* piece) -> KindMasks {
    const __m512i of_byte = kinds.Of(_mm512_loadu_si512(piece));
    const auto is = [&](unsigned any) {
      return _mm512_test_epi8_mask(of_byte, _mm512_set1_epi8(static_cast<char>(any)));
    };
    constexpr unsigned kDull =
        Bit(ByteKind::kDullLetter) | Bit(ByteKind::kDullDigit) | Bit(ByteKind::kDullOther);
    return {.first = is(Bit(ByteKind::kMark) | Bit(ByteKind::kPlain)),
            .second = is(Bit(ByteKind::kMark) | kDull)};
  });
}

std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  switch (plan.stride) {
    case 8: return ProbeByEight(text, size, count, plan, hits);
    case 4: return ProbeByFour(text, size, count, plan, hits);
    case 2: return ProbeByTwo(text, size, count, plan, hits);
    default: return ProbeEach(text, size, count, plan, hits);
  }
}

}  // namespace

const Kernels kAvx512Kernels = {.name = "avx512", .probe = &Probe};

}  // namespace qarion::secrets::scrub
#endif
