// What a file has beside its bytes.
#pragma once

#include <sys/stat.h>

namespace qarion::secrets::cli {

// Gives the file `to` the owner, mode, extended attributes and access time of `from`, whose status
// is given. Attributes that are the kernel's business (those of SELinux and the like) only where
// that succeeds. Returns 0, or the number of the error.
int CopyAttributes(int from, const struct stat& status, int to);

}  // namespace qarion::secrets::cli
