// The kernels of AVX-512 in other instructions, so that tests of them run on every machine.
#if defined(__x86_64__)
#include <immintrin.h>

#include <array>
#include <cstdint>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

// SIMDe 0.7.4 gives it the parameters of another one.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

// What SIMDe 0.7.4 lacks.
namespace {
simde__m512i EmulatedGather(simde__m512i indices, const std::uint32_t* words) {
  std::array<std::uint32_t, 16> lanes;
  simde_mm512_storeu_si512(lanes.data(), indices);
  for (std::uint32_t& lane : lanes) lane = words[lane];
  return simde_mm512_loadu_si512(lanes.data());
}

// The lanes of two vectors from the `first` on.
simde__m512i EmulatedAlign(simde__m512i high, simde__m512i low, unsigned first) {
  std::array<std::uint32_t, 32> lanes;
  simde_mm512_storeu_si512(lanes.data(), low);
  simde_mm512_storeu_si512(lanes.data() + 16, high);
  return simde_mm512_loadu_si512(lanes.data() + first);
}
}  // namespace
#undef _mm512_alignr_epi32
#define _mm512_alignr_epi32(high, low, first) EmulatedAlign(high, low, first)
#undef _mm512_i32gather_epi32
#define _mm512_i32gather_epi32(indices, words, scale) EmulatedGather(indices, words)

#define kAvx512Kernels kEmulatedAvx512Kernels
#include "scrub/kernels_avx512.cc"  // NOLINT(bugprone-suspicious-include)
#endif
