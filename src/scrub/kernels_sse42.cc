#if defined(__x86_64__)
#include <nmmintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

void Members(const char* text, std::size_t size, std::size_t steps, const MemberSet& set,
             std::uint64_t* masks) {
  const auto* const rows = reinterpret_cast<const __m128i*>(set.rows.data());
  const __m128i low_rows = _mm_load_si128(rows);
  const __m128i high_rows = _mm_load_si128(rows + 1);
  const __m128i bit_of = _mm_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m128i top = _mm_set1_epi8(static_cast<char>(0x80));
  const __m128i seven = _mm_set1_epi8(7);
  const __m128i keep = _mm_set1_epi8(static_cast<char>(0x8F));
  SetMasks(text, size, steps, masks, [&](const char* piece) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kMaskBytes; i += sizeof(__m128i)) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(piece + i));
      // A shuffle gives 0 where the top bit of the index is set.
      const __m128i index = _mm_and_si128(bytes, keep);
      const __m128i row = _mm_or_si128(_mm_shuffle_epi8(low_rows, index),
                                       _mm_shuffle_epi8(high_rows, _mm_xor_si128(index, top)));
      const __m128i bit = _mm_shuffle_epi8(bit_of, _mm_and_si128(_mm_srli_epi16(bytes, 4), seven));
      const __m128i is_member = _mm_cmpeq_epi8(_mm_and_si128(row, bit), bit);
      mask |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(is_member))} << i;
    }
    return mask;
  });
}

std::size_t Probe(const char* text, std::size_t size, std::size_t steps, const std::uint64_t* masks,
                  const ProbePlan& plan, std::uint16_t* hits) {
  return (steps <= kFewSteps ? ProbeFew : ProbeMany)(text, size, steps, masks, plan, hits);
}

}  // namespace

const Kernels kSse42Kernels = {.name = "sse4.2", .members = &Members, .probe = &Probe};

}  // namespace qarion::secrets::scrub
#endif
