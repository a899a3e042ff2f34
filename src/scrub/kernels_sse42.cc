#if defined(__x86_64__)
#include <nmmintrin.h>

#include "scrub/kernels_by_shuffle.h"

namespace qarion::secrets::scrub {
namespace {

struct Sse42 {
  using Bytes = __m128i;

  static Bytes Load(const void* bytes) {
    return _mm_loadu_si128(static_cast<const __m128i*>(bytes));
  }
  static Bytes Rows(const std::uint8_t* rows) { return Load(rows); }
  static Bytes Repeat(char byte) { return _mm_set1_epi8(byte); }
  static Bytes Shuffle(Bytes table, Bytes index) { return _mm_shuffle_epi8(table, index); }
  static Bytes Or(Bytes a, Bytes b) { return _mm_or_si128(a, b); }
  static Bytes Xor(Bytes a, Bytes b) { return _mm_xor_si128(a, b); }
  static Bytes LowOfHighHalf(Bytes bytes) {
    return _mm_and_si128(_mm_srli_epi16(bytes, 4), Repeat(7));
  }
  static std::uint32_t WhereIn(Bytes row, Bytes bit) {
    const Bytes is_in = _mm_cmpeq_epi8(_mm_and_si128(row, bit), bit);
    return static_cast<std::uint32_t>(_mm_movemask_epi8(is_in));
  }
};

}  // namespace

const Kernels kSse42Kernels = {.name = "sse4.2", .probe = &Probe<Sse42>};

}  // namespace qarion::secrets::scrub
#endif
