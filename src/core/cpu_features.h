// What the processor can do: CPU_FEATURE_ACTIVE(SSE4_2), as the C library found out when the
// process started. __builtin_cpu_supports would run CPUID again at each start, which takes 50
// microseconds in a virtual machine. On x86-64 alone.
#pragma once

#if defined(__x86_64__)
#if defined(__clang__)
// NOLINTNEXTLINE(*reserved-macro-identifier): as clang's <stdbool.h> has it for GNU C++.
#define _Bool bool
#endif
#include <sys/platform/x86.h>
#endif
