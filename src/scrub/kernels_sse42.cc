#if defined(__x86_64__)
#include <nmmintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

__m128i RowsOf(const ByteRows& set, int half) {
  const auto* const rows = reinterpret_cast<const __m128i*>(set.rows.data());
  return _mm_loadu_si128(rows + half);
}

std::uint64_t WhereIn(__m128i row, __m128i bit) {
  const __m128i is_in = _mm_cmpeq_epi8(_mm_and_si128(row, bit), bit);
  return static_cast<unsigned>(_mm_movemask_epi8(is_in));
}

template <bool kHasHigh>
std::size_t ProbeWith(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                      std::uint16_t* hits) {
  const __m128i first = RowsOf(plan.kinds->first(), 0);
  const __m128i second = RowsOf(plan.kinds->second(), 0);
  const __m128i first_high = RowsOf(plan.kinds->first(), 1);
  const __m128i second_high = RowsOf(plan.kinds->second(), 1);
  const __m128i bit_of = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m128i top = _mm_set1_epi8(static_cast<char>(0x80));
  const __m128i seven = _mm_set1_epi8(7);
  return ProbeAny(text, size, count, plan, hits, [&](const char* piece) {
    KindMasks masks = {};
    for (std::size_t i = 0; i < kMaskBytes; i += sizeof(__m128i)) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(piece + i));
      // A shuffle gives 0 where the top bit of the index is set.
      // NOLINTBEGIN(misc-const-correctness): not where kHasHigh
      __m128i first_row = _mm_shuffle_epi8(first, bytes);
      __m128i second_row = _mm_shuffle_epi8(second, bytes);
      // NOLINTEND(misc-const-correctness)
      if constexpr (kHasHigh) {
        const __m128i high = _mm_xor_si128(bytes, top);
        first_row = _mm_or_si128(first_row, _mm_shuffle_epi8(first_high, high));
        second_row = _mm_or_si128(second_row, _mm_shuffle_epi8(second_high, high));
      }
      const __m128i bit = _mm_shuffle_epi8(bit_of, _mm_and_si128(_mm_srli_epi16(bytes, 4), seven));
      masks.first |= WhereIn(first_row, bit) << i;
      masks.second |= WhereIn(second_row, bit) << i;
    }
    return masks;
  });
}

std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  return (plan.kinds->has_high() ? ProbeWith<true> : ProbeWith<false>)(text, size, count, plan,
                                                                       hits);
}

}  // namespace

const Kernels kSse42Kernels = {.name = "sse4.2", .probe = &Probe};

}  // namespace qarion::secrets::scrub
#endif
