#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_inline.h"

namespace qarion::secrets::scrub {
namespace {

void Members(const char* text, std::size_t size, std::size_t steps, const MemberSet& set,
             std::uint64_t* masks) {
  const auto* const rows = reinterpret_cast<const __m128i*>(set.rows.data());
  const __m256i low_rows = _mm256_broadcastsi128_si256(_mm_load_si128(rows));
  const __m256i high_rows = _mm256_broadcastsi128_si256(_mm_load_si128(rows + 1));
  const __m256i bit_of = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
  const __m256i top = _mm256_set1_epi8(static_cast<char>(0x80));
  const __m256i seven = _mm256_set1_epi8(7);
  const __m256i keep = _mm256_set1_epi8(static_cast<char>(0x8F));
  SetMasks(text, size, steps, masks, [&](const char* piece) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kMaskBytes; i += sizeof(__m256i)) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(piece + i));
      // A shuffle gives 0 where the top bit of the index is set.
      const __m256i index = _mm256_and_si256(bytes, keep);
      const __m256i row =
          _mm256_or_si256(_mm256_shuffle_epi8(low_rows, index),
                          _mm256_shuffle_epi8(high_rows, _mm256_xor_si256(index, top)));
      const __m256i bit =
          _mm256_shuffle_epi8(bit_of, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), seven));
      const __m256i is_member = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit);
      mask |= std::uint64_t{static_cast<unsigned>(_mm256_movemask_epi8(is_member))} << i;
    }
    return mask;
  });
}

std::size_t Probe(const char* text, std::size_t size, std::size_t steps, const std::uint64_t* masks,
                  const ProbePlan& plan, std::uint16_t* hits) {
  return (steps <= kFewSteps ? ProbeFew : ProbeMany)(text, size, steps, masks, plan, hits);
}

}  // namespace

const Kernels kAvx2Kernels = {.name = "avx2", .members = &Members, .probe = &Probe};

}  // namespace qarion::secrets::scrub
#endif
