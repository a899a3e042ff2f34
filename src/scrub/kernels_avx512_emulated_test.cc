// The kernels of AVX-512 in other instructions, so that tests of them run on every machine.
#if defined(__x86_64__)
#include <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

// SIMDe 0.7.4 gives it the parameters of another one.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

#define kAvx512Kernels kEmulatedAvx512Kernels
#include "scrub/kernels_avx512.cc"  // NOLINT(bugprone-suspicious-include)
#endif
