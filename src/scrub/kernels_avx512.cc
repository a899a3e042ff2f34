#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_by_lanes.h"

namespace qarion::secrets::scrub {
namespace {

struct Avx512 {
  using Vector = __m512i;
  static constexpr unsigned kCount = 16;

  static Vector Load(const char* text) { return _mm512_loadu_si512(text); }
  static Vector Repeat(std::uint32_t lane) { return _mm512_set1_epi32(static_cast<int>(lane)); }
  static Vector And(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector Multiply(Vector a, Vector b) { return _mm512_mullo_epi32(a, b); }
  static Vector MultiplyHalves(Vector a, Vector b) { return _mm512_madd_epi16(a, b); }
  static Vector ShiftRight(Vector lanes, unsigned count) {
    return _mm512_srl_epi32(lanes, _mm_cvtsi32_si128(static_cast<int>(count)));
  }
  static void Store(Vector vector, std::uint64_t* pairs) { _mm512_store_si512(pairs, vector); }
  static Vector WordsAt(const std::uint32_t* words, const std::uint64_t* indices) {
    Vector all = _mm512_castsi128_si512(FourAt(words, indices));
    all = _mm512_inserti32x4(all, FourAt(words, indices + 2), 1);
    all = _mm512_inserti32x4(all, FourAt(words, indices + 4), 2);
    return _mm512_inserti32x4(all, FourAt(words, indices + 6), 3);
  }
  static unsigned WhereAllOf(Vector words, Vector bits) {
    return _mm512_cmpeq_epi32_mask(_mm512_andnot_si512(words, bits), _mm512_setzero_si512());
  }
  static Vector Rows(const std::uint8_t* rows) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows)));
  }
  static Vector Shuffle(Vector table, Vector index) { return _mm512_shuffle_epi8(table, index); }
  static std::uint64_t NotZero(Vector bytes) { return _mm512_test_epi8_mask(bytes, bytes); }
};

// Runs are shorter than these vectors.
std::size_t FindLineEndsByHalves(const char* text, std::size_t from, std::size_t end,
                                 const ByteRows& set, std::uint16_t* breaks) {
  return kAvx2Kernels.find_line_ends(text, from, end, set, breaks);
}

std::size_t CountRepeatedByHalves(const char* text, std::size_t size, std::size_t period) {
  return kAvx2Kernels.count_repeated(text, size, period);
}

}  // namespace

const Kernels kAvx512Kernels = {.name = "avx512",
                                .probe = &Probe<Avx512>,
                                .find_line_ends = &FindLineEndsByHalves,
                                .count_repeated = &CountRepeatedByHalves};

}  // namespace qarion::secrets::scrub
#endif
