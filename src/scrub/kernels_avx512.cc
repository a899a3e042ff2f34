#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

// Bytes of 64 that are in `set`.
class MemberTest {
 public:
  explicit MemberTest(const MemberSet& set)
      : low_(_mm512_broadcast_i32x4(RowsOf(set, 0))),
        high_(_mm512_broadcast_i32x4(RowsOf(set, 1))),
        has_high_(_mm512_test_epi8_mask(high_, high_) != 0),
        first_half_(TableOf(low_, 0)),
        second_half_(TableOf(low_, 4)) {}

  [[gnu::always_inline]] std::uint64_t operator()(__m512i bytes) const {
    const std::uint64_t is_high = _mm512_movepi8_mask(bytes);
    const std::uint64_t is_member =
        _mm512_movepi8_mask(_mm512_permutex2var_epi8(first_half_, bytes, second_half_)) & ~is_high;
    if (__builtin_expect(!has_high_ || is_high == 0, 1)) return is_member;
    const __m512i row = _mm512_shuffle_epi8(high_, _mm512_and_si512(bytes, _mm512_set1_epi8(15)));
    const __m512i bit =
        _mm512_shuffle_epi8(_mm512_set1_epi64(static_cast<long long>(0x8040201008040201)),
                            _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(7)));
    return is_member | _mm512_mask_test_epi8_mask(is_high, row, bit);
  }

 private:
  static __m128i RowsOf(const MemberSet& set, int half) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(set.rows.data()) + half);
  }
  // For 64 bytes from 16 * `first_bit` on: the top bit where it is a member.
  static __m512i TableOf(__m512i rows, int first_bit) {
    const __m512i bits = _mm512_sllv_epi64(
        _mm512_set_epi64(0x0808080808080808, 0x0808080808080808, 0x0404040404040404,
                         0x0404040404040404, 0x0202020202020202, 0x0202020202020202,
                         0x0101010101010101, 0x0101010101010101),
        _mm512_set1_epi64(first_bit));
    return _mm512_movm_epi8(_mm512_test_epi8_mask(rows, bits));
  }

  __m512i low_;
  __m512i high_;
  bool has_high_;
  __m512i first_half_;
  __m512i second_half_;
};

// The bytes from `begin` on, 0 behind the text.
[[gnu::always_inline]] inline __m512i Load(const char* text, std::size_t size, std::size_t begin) {
  if (__builtin_expect(begin + kMaskBytes <= size, 1)) return _mm512_loadu_si512(text + begin);
  if (begin >= size) return _mm512_setzero_si512();
  return _mm512_maskz_loadu_epi8((std::uint64_t{1} << (size - begin)) - 1, text + begin);
}

void Members(const char* text, std::size_t size, std::size_t steps, const MemberSet& set,
             std::uint64_t* masks) {
  const MemberTest is_member(set);
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t begin = step * kStepBytes;
    masks[step] = is_member(Load(text, size, begin));
    if (begin + kMaskBytes > size) {
      masks[step] &= begin >= size ? 0 : (std::uint64_t{1} << (size - begin)) - 1;
    }
  }
}

// What is left of a batch for the filter: the hashes of its grams that are runs of members. Where
// they stand is found out again for the few that are in the filter.
struct Probes {
  std::uint32_t hashes[kBatchSteps * 16 + 16];  // NOLINT(*-avoid-c-arrays): not initialised
  std::uint16_t ends[kBatchSteps];              // NOLINT(*-avoid-c-arrays): after each step
};

// The place of the probe with this number.
std::uint16_t PlaceOfProbe(const Probes& probes, std::size_t number, const std::uint64_t* masks,
                           unsigned gram_size, unsigned stride) {
  std::size_t step = 0;
  while (probes.ends[step] <= number) ++step;
  std::uint64_t runs = Runs(masks[step], gram_size) & StrideEnds(stride);
  for (std::size_t i = step == 0 ? 0 : probes.ends[step - 1]; i < number; ++i) runs &= runs - 1;
  return static_cast<std::uint16_t>(step * kStepBytes +
                                    static_cast<std::size_t>(__builtin_ctzll(runs)));
}

std::size_t LookUp(const Probes& probes, std::size_t count, const std::uint64_t* masks,
                   const ProbePlan& plan, std::uint16_t* hits) {
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(plan.shift));
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i low_five = _mm512_set1_epi32(31);
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const std::size_t left = count - i;
    const auto valid = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1U << left) - 1);
    const __m512i hash = _mm512_loadu_si512(probes.hashes + i);
    const __m512i word =
        _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), valid, _mm512_srl_epi32(hash, shift),
                                    plan.words, sizeof(std::uint32_t));
    const __m512i bits = _mm512_or_si512(
        _mm512_sllv_epi32(one, _mm512_and_si512(_mm512_srli_epi32(hash, kFirstBitAt), low_five)),
        _mm512_sllv_epi32(one, _mm512_and_si512(_mm512_srli_epi32(hash, kSecondBitAt), low_five)));
    unsigned has = _mm512_mask_testn_epi32_mask(valid, _mm512_andnot_si512(word, bits), bits);
    for (; __builtin_expect(has != 0, 0); has &= has - 1) {
      const std::size_t number = i + static_cast<std::size_t>(__builtin_ctz(has));
      hits[found++] = PlaceOfProbe(probes, number, masks, plan.gram_size, plan.stride);
    }
  }
  return found;
}

std::size_t ProbeByFour(const char* text, std::size_t size, std::size_t steps,
                        const std::uint64_t* masks, const ProbePlan& plan, std::uint16_t* hits) {
  Probes probes;
  std::size_t count = 0;
  const __m512i first_factor = _mm512_set1_epi32(static_cast<int>(kFirstFactor));
  const __m512i last_factor = _mm512_set1_epi32(static_cast<int>(kLastFactor));
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t begin = step * kStepBytes;
    __builtin_prefetch(text + begin +
                       kBatchBytes);  // beyond a page the processor does not fetch ahead
    const auto is_run = static_cast<__mmask16>(_pext_u64(Runs(masks[step], 5), StrideEnds(4)));
    const __m512i hash =
        _mm512_add_epi32(_mm512_mullo_epi32(Load(text, size, begin + 3), first_factor),
                         _mm512_mullo_epi32(Load(text, size, begin + 4), last_factor));
    _mm512_storeu_si512(probes.hashes + count, _mm512_maskz_compress_epi32(is_run, hash));
    count += static_cast<std::size_t>(__builtin_popcount(is_run));
    probes.ends[step] = static_cast<std::uint16_t>(count);
  }
  return LookUp(probes, count, masks, plan, hits);
}

std::size_t ProbeByEight(const char* text, std::size_t size, std::size_t steps,
                         const std::uint64_t* masks, const ProbePlan& plan, std::uint16_t* hits) {
  Probes probes;
  std::size_t count = 0;
  const __m512i factors =
      _mm512_set1_epi64(static_cast<long long>(std::uint64_t{kLastFactor} << 32 | kFirstFactor));
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t begin = step * kStepBytes;
    __builtin_prefetch(text + begin + kBatchBytes);
    const auto is_run = static_cast<__mmask8>(_pext_u64(Runs(masks[step], 8), StrideEnds(8)));
    const __m512i products = _mm512_mullo_epi32(Load(text, size, begin + 7), factors);
    const __m256i hash =
        _mm512_cvtepi64_epi32(_mm512_add_epi32(products, _mm512_srli_epi64(products, 32)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(probes.hashes + count),
                        _mm256_maskz_compress_epi32(is_run, hash));
    count += static_cast<std::size_t>(__builtin_popcount(is_run));
    probes.ends[step] = static_cast<std::uint16_t>(count);
  }
  return LookUp(probes, count, masks, plan, hits);
}

std::size_t Probe(const char* text, std::size_t size, std::size_t steps, const std::uint64_t* masks,
                  const ProbePlan& plan, std::uint16_t* hits) {
  // What was just written cannot be loaded in larger pieces at once: that would cost more than it
  // gives where it is little.
  if (steps <= kFewSteps) return ProbeFew(text, size, steps, masks, plan, hits);
  if (plan.stride == 4) return ProbeByFour(text, size, steps, masks, plan, hits);
  if (plan.stride == 8) return ProbeByEight(text, size, steps, masks, plan, hits);
  return ProbeMany(text, size, steps, masks, plan, hits);
}

}  // namespace

const Kernels kAvx512Kernels = {.name = "avx512", .members = &Members, .probe = &Probe};

}  // namespace qarion::secrets::scrub
#endif
