#include "scrub/kernels.h"

#include <array>
#include <cstdlib>

#include "core/cpu_features.h"
#include "scrub/kernel_names.h"

namespace qarion::secrets::scrub {
namespace {

struct Choice {
  const Kernels* kernels;
  bool is_there;
  bool is_faster = true;  // than those behind it
};

// AVX-512 loads from many places at once. On Intel's processors that is faster since Sapphire
// Rapids, which brought FP16; those before are slowed down by what mends CVE-2022-40982, and AMD's
// Zen 4 and 5 do it in microcode.
const auto& Choices() noexcept {
#if defined(__x86_64__)
  static const std::array<Choice, 4> choices = {{
      {.kernels = &kAvx512Kernels,
       .is_there = CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512VL) &&
                   CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI2) &&
                   CPU_FEATURE_ACTIVE(POPCNT),
       .is_faster = CPU_FEATURE_ACTIVE(AVX512_FP16)},
      {.kernels = &kAvx2Kernels,
       .is_there =
           CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI2) && CPU_FEATURE_ACTIVE(POPCNT)},
      {.kernels = &kSse42Kernels,
       .is_there = CPU_FEATURE_ACTIVE(SSE4_2) && CPU_FEATURE_ACTIVE(POPCNT)},
      {.kernels = &kPlainKernels, .is_there = true},
  }};
#else
  static const std::array<Choice, 1> choices = {{{.kernels = &kPlainKernels, .is_there = true}}};
#endif
  return choices;
}

const Kernels& Choose() noexcept {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): read once; nothing here changes the environment.
  if (const char* const name = std::getenv(kKernelsVariable)) {
    if (const Kernels* const kernels = KernelsNamed(name)) return *kernels;
  }
  for (const Choice& choice : Choices()) {
    if (choice.is_there && choice.is_faster) return *choice.kernels;
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

std::vector<std::string> KernelNames() {
  std::vector<std::string> names;
  for (const Choice& choice : Choices()) {
    if (choice.is_there) names.emplace_back(choice.kernels->name);
  }
  return names;
}

const Kernels& ActiveKernels() noexcept {
  static const Kernels& active = Choose();
  return active;
}

}  // namespace qarion::secrets::scrub
