// The kernels of AVX-512 in other instructions, so that tests of them run on every machine.
#if defined(__x86_64__)
#include <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#define kAvx512Kernels kEmulatedAvx512Kernels
#include "scrub/kernels_avx512.cc"  // NOLINT(bugprone-suspicious-include)
#endif
