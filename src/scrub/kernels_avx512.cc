#if defined(__x86_64__)
#include <immintrin.h>

#include "scrub/kernels_by_lanes.h"

namespace qarion::secrets::scrub {
namespace {

struct Avx512 {
  using Vector = __m512i;
  static constexpr unsigned kCount = 16;

  static Vector Load(const char* text) { return _mm512_loadu_si512(text); }
  static Vector LoadRows(const char* text, const std::uint16_t* places) {
    const auto row = [&](unsigned i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + places[i]));
    };
    const Vector two = _mm512_inserti32x4(_mm512_castsi128_si512(row(0)), row(1), 1);
    return _mm512_inserti32x4(_mm512_inserti32x4(two, row(2), 2), row(3), 3);
  }
  static Vector Repeat(std::uint32_t lane) { return _mm512_set1_epi32(static_cast<int>(lane)); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  // The same as a load from one byte further on, which is slower: it crosses cache lines.
  static Vector ByteBehind(const char* text) {
    const Vector next = Repeat(LoadFour(text + sizeof(Vector)));
    return _mm512_slli_epi32(_mm512_alignr_epi32(next, Load(text), 1), 24);
  }
  static Vector And(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector Multiply(Vector a, Vector b) { return _mm512_mullo_epi32(a, b); }
  static Vector MultiplyHalves(Vector a, Vector b) { return _mm512_madd_epi16(a, b); }
  static Vector ShiftRight(Vector lanes, unsigned count) {
    return _mm512_srl_epi32(lanes, _mm_cvtsi32_si128(static_cast<int>(count)));
  }
  static constexpr bool kGathers = true;
  // Each lane is loaded whole, as FilterWord() would.
  static Vector Gather(const std::uint32_t* words, Vector indices) {
    return _mm512_i32gather_epi32(indices, words, sizeof(*words));
  }
  static unsigned WhereAllOf(Vector words, Vector bits) {
    return _mm512_cmpeq_epi32_mask(_mm512_andnot_si512(words, bits), _mm512_setzero_si512());
  }
  static Vector Rows(const std::uint8_t* rows) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows)));
  }
  static Vector Shuffle(Vector table, Vector index) { return _mm512_shuffle_epi8(table, index); }
  static std::uint64_t WhereEqual(Vector a, Vector b) { return _mm512_cmpeq_epi8_mask(a, b); }
  static std::uint64_t WhereGreater(Vector a, Vector b) { return _mm512_cmpgt_epi8_mask(a, b); }
  static constexpr std::uint64_t kAllBytes = ~std::uint64_t{0};
  static std::uint64_t NotZero(Vector bytes) { return _mm512_test_epi8_mask(bytes, bytes); }
};

// A short text has too few whole vectors.
std::size_t ProbeLong(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                      std::uint16_t* hits) {
  constexpr std::size_t kShort = 2 * kBlockBytes;
  if (size < kShort) return kAvx2Kernels.probe(text, size, count, plan, hits);
  return Probe<Avx512>(text, size, count, plan, hits);
}

}  // namespace

const Kernels kAvx512Kernels = {.name = "avx512",
                                .probe = &ProbeLong,
                                .find_windows = &FindWindows<Avx512>,
                                .find_line_ends = &FindLineEnds<Avx512>,
                                .count_base64 = &CountBase64<Avx512>,
                                .count_repeated = &CountRepeated<Avx512>};

}  // namespace qarion::secrets::scrub
#endif
