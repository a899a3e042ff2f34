// How the kernels are called. Not in kernels.h, which sources for single instruction sets include:
// what they might instantiate of the standard library would be for those sets.
#pragma once

#include <string>
#include <vector>

namespace qarion::secrets::scrub {

// The variable that chooses some of them, for tests and support.
inline constexpr char kKernelsVariable[] = "QARION_SECRETS_ISA";

// The names of all that this processor has.
std::vector<std::string> KernelNames();

}  // namespace qarion::secrets::scrub
