#include "cli/kernels_warning.h"

#include <cstdio>

#include "core/environment.h"
#include "core/join.h"
#include "scrub/kernel_names.h"
#include "scrub/kernels.h"

namespace qarion::secrets::cli {

// What was given may be anything, so it is not shown.
void WarnOfUnknownKernels() {
  const auto name = core::ProcessEnvironment().Find(scrub::kKernelsVariable);
  if (!name || name->empty() || scrub::KernelsNamed(*name) != nullptr) return;
  std::fprintf(stderr,
               "qsecrets: warning: %s names no instruction set that this machine has: the fastest "
               "is used; there are %s\n",
               scrub::kKernelsVariable, core::Join(scrub::KernelNames()).c_str());
}

}  // namespace qarion::secrets::cli
