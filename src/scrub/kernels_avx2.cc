#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_by_shuffle.h"

namespace qarion::secrets::scrub {
namespace {

struct Avx2 {
  using Bytes = __m256i;

  static Bytes Load(const void* bytes) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
  }
  static Bytes Rows(const std::uint8_t* rows) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows)));
  }
  static Bytes Repeat(char byte) { return _mm256_set1_epi8(byte); }
  static Bytes Shuffle(Bytes table, Bytes index) { return _mm256_shuffle_epi8(table, index); }
  static Bytes Or(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  static Bytes Xor(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
  static Bytes LowOfHighHalf(Bytes bytes) {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), Repeat(7));
  }
  static std::uint32_t WhereIn(Bytes row, Bytes bit) {
    const Bytes is_in = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit);
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(is_in));
  }
};

}  // namespace

const Kernels kAvx2Kernels = {.name = "avx2", .probe = &Probe<Avx2>};

}  // namespace qarion::secrets::scrub
#endif
