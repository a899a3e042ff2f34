// The second program of the command `qsecrets`.
#pragma once

#include "qarion/secrets/error.h"

namespace qarion::secrets::cli {

inline constexpr char kCompanion[] = "qsecrets-keys";

// Becomes it, with the same arguments. Returns only where that fails. kConfiguration: it is not
// installed among the modules, or others can change it. kIo: the kernel does not execute it.
Error BecomeCompanion(char** argv);

}  // namespace qarion::secrets::cli
