#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_by_lanes.h"

namespace qarion::secrets::scrub {
namespace {

struct Avx2 {
  using Vector = __m256i;
  static constexpr unsigned kCount = 8;

  static Vector Load(const char* text) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  }
  static Vector LoadRows(const char* text, const std::uint16_t* places) {
    const auto row = [&](unsigned i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + places[i]));
    };
    return _mm256_set_m128i(row(1), row(0));
  }
  static Vector Repeat(std::uint32_t lane) { return _mm256_set1_epi32(static_cast<int>(lane)); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
  static Vector ByteBehind(const char* text) { return And(Load(text + 1), Repeat(0xFF000000)); }
  static Vector Multiply(Vector a, Vector b) { return _mm256_mullo_epi32(a, b); }
  static Vector MultiplyHalves(Vector a, Vector b) { return _mm256_madd_epi16(a, b); }
  static Vector ShiftRight(Vector lanes, unsigned count) {
    return _mm256_srl_epi32(lanes, _mm_cvtsi32_si128(static_cast<int>(count)));
  }
  static constexpr bool kGathers = false;
  static void Store(Vector vector, std::uint64_t* pairs) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(pairs), vector);
  }
  static Vector WordsAt(const std::uint32_t* words, const std::uint64_t* indices) {
    return _mm256_set_m128i(FourAt(words, indices + 2), FourAt(words, indices));
  }
  static unsigned WhereAllOf(Vector words, Vector bits) {
    const Vector missing = _mm256_andnot_si256(words, bits);
    const Vector is_none = _mm256_cmpeq_epi32(missing, _mm256_setzero_si256());
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(is_none)));
  }
  static Vector Rows(const std::uint8_t* rows) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows)));
  }
  static Vector Shuffle(Vector table, Vector index) { return _mm256_shuffle_epi8(table, index); }
  static std::uint32_t WhereEqual(Vector a, Vector b) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
  }
  static std::uint32_t WhereGreater(Vector a, Vector b) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(a, b)));
  }
  static constexpr std::uint32_t kAllBytes = ~0U;
  static std::uint32_t NotZero(Vector bytes) { return ~WhereEqual(bytes, _mm256_setzero_si256()); }
};

}  // namespace

const Kernels kAvx2Kernels = {.name = "avx2",
                              .probe = &Probe<Avx2>,
                              .find_windows = &FindWindows<Avx2>,
                              .find_line_ends = &FindLineEnds<Avx2>,
                              .count_base64 = &CountBase64<Avx2>,
                              .count_repeated = &CountRepeated<Avx2>};

}  // namespace qarion::secrets::scrub
#endif
