#include "scrub/kernels.h"

#include <array>
#include <cstdlib>

#include "core/cpu_features.h"

namespace qarion::secrets::scrub {
namespace {

struct Choice {
  const Kernels* kernels;
  bool is_there;
};

// The fastest comes first. AVX-512 is asked for more than its kernel needs: processors without that
// run slower while they use it.
const auto& Choices() noexcept {
#if defined(__x86_64__)
  static const std::array<Choice, 4> choices = {{
      {&kAvx512Kernels, CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512VL) &&
                            CPU_FEATURE_ACTIVE(AVX512_VBMI) && CPU_FEATURE_ACTIVE(AVX512_VBMI2) &&
                            CPU_FEATURE_ACTIVE(AVX512_VNNI) && CPU_FEATURE_ACTIVE(BMI2) &&
                            CPU_FEATURE_ACTIVE(POPCNT)},
      {&kAvx2Kernels,
       CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI2) && CPU_FEATURE_ACTIVE(POPCNT)},
      {&kSse42Kernels, CPU_FEATURE_ACTIVE(SSE4_2) && CPU_FEATURE_ACTIVE(POPCNT)},
      {&kPlainKernels, true},
  }};
#else
  static const std::array<Choice, 1> choices = {{{&kPlainKernels, true}}};
#endif
  return choices;
}

const Kernels& Choose() noexcept {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read once; nothing here changes the environment.
  if (const char* const name = std::getenv("QARION_SECRETS_ISA")) {
    if (const Kernels* const kernels = KernelsNamed(name)) return *kernels;
  }
  for (const Choice& choice : Choices()) {
    if (choice.is_there) return *choice.kernels;
  }
  return kPlainKernels;
}

}  // namespace

const Kernels* KernelsNamed(std::string_view name) noexcept {
  for (const Choice& choice : Choices()) {
    if (choice.is_there && name == choice.kernels->name) return choice.kernels;
  }
  return nullptr;
}

const Kernels& ActiveKernels() noexcept {
  static const Kernels& active = Choose();
  return active;
}

}  // namespace qarion::secrets::scrub
