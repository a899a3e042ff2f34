#if defined(__x86_64__)
#include <nmmintrin.h>

#include "scrub/kernels_by_lanes.h"

namespace qarion::secrets::scrub {
namespace {

struct Sse42 {
  using Vector = __m128i;
  static constexpr unsigned kCount = 4;

  static Vector Load(const char* text) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  }
  static Vector LoadRows(const char* text, const std::uint16_t* places) {
    return Load(text + places[0]);
  }
  static Vector Repeat(std::uint32_t lane) { return _mm_set1_epi32(static_cast<int>(lane)); }
  static Vector Add(Vector a, Vector b) { return _mm_add_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm_and_si128(a, b); }
  static Vector ByteBehind(const char* text) { return And(Load(text + 1), Repeat(0xFF000000)); }
  static Vector Multiply(Vector a, Vector b) { return _mm_mullo_epi32(a, b); }
  static Vector MultiplyHalves(Vector a, Vector b) { return _mm_madd_epi16(a, b); }
  static Vector ShiftRight(Vector lanes, unsigned count) {
    return _mm_srl_epi32(lanes, _mm_cvtsi32_si128(static_cast<int>(count)));
  }
  static constexpr bool kGathers = false;
  static void Store(Vector vector, std::uint64_t* pairs) {
    _mm_store_si128(reinterpret_cast<__m128i*>(pairs), vector);
  }
  static Vector WordsAt(const std::uint32_t* words, const std::uint64_t* indices) {
    return FourAt(words, indices);
  }
  static unsigned WhereAllOf(Vector words, Vector bits) {
    const Vector is_none = _mm_cmpeq_epi32(_mm_andnot_si128(words, bits), _mm_setzero_si128());
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(is_none)));
  }
  static Vector Rows(const std::uint8_t* rows) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows));
  }
  static Vector Shuffle(Vector table, Vector index) { return _mm_shuffle_epi8(table, index); }
  static std::uint32_t WhereEqual(Vector a, Vector b) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)));
  }
  static std::uint32_t WhereGreater(Vector a, Vector b) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpgt_epi8(a, b)));
  }
  static constexpr std::uint32_t kAllBytes = 0xFFFF;
  static std::uint32_t NotZero(Vector bytes) {
    return kAllBytes & ~WhereEqual(bytes, _mm_setzero_si128());
  }
};

}  // namespace

const Kernels kSse42Kernels = {.name = "sse4.2",
                               .probe = &Probe<Sse42>,
                               .find_windows = &FindWindows<Sse42>,
                               .find_line_ends = &FindLineEnds<Sse42>,
                               .count_base64 = &CountBase64<Sse42>,
                               .count_repeated = &CountRepeated<Sse42>};

}  // namespace qarion::secrets::scrub
#endif
