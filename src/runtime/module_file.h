// Where modules are, and whether one may be trusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"

namespace qarion::secrets::runtime {

// `[a-z][a-z0-9_]{0,31}`: what may stand in a file's name and in messages without harm.
bool IsBackendName(std::string_view name) noexcept;

// The directory of modules, fixed relative to this code: `qarion-secrets/` beside the shared
// library; for a program that holds the library itself, the directory of modules under the prefix
// whose `bin/` it is in. QARION_SECRETS_MODULE_DIR overrides it, for development; it is looked up
// in the process environment alone and not at all in programs with raised privileges.
// kConfiguration: the override is not an absolute path. kInternal: the system does not tell where
// this code is.
Result<std::string> ModuleDirectory();

// For programs that are installed among the modules themselves: without the override, the directory
// is the one that the program is in. To be called first in main.
void FindModulesBesideProgram() noexcept;

// Backends that have a module in `directory`, sorted; none where it cannot be read.
std::vector<std::string> BackendsIn(const std::string& directory);

// "<directory>/qarion_secrets_<backend>.so"
std::string ModulePath(const std::string& directory, std::string_view backend);

// Checks `directory` and its file `name` and returns the file's path without symbolic links. Code
// is loaded from it, so nobody but root and this user may be able to change it. `what` it is stands
// in cures: "the module of the backend 'vault'". kConfiguration: missing, not a regular file,
// writable for all, someone else's.
Result<std::string> FindTrustedFile(const std::string& directory, const std::string& name,
                                    const std::string& what);

// The same of a backend's module.
Result<std::string> FindTrustedModule(const std::string& directory, std::string_view backend);

}  // namespace qarion::secrets::runtime
