// The subcommands of `qsecrets jwt`. Each stands in a file of its own and registers itself.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace qarion::secrets::cli {

void AddJwtKeygen(CLI::App& jwt, Command& command);
void AddJwtSign(CLI::App& jwt, Command& command);
void AddJwtVerify(CLI::App& jwt, Command& command);
void AddJwtInspect(CLI::App& jwt, Command& command);
void AddJwtRotation(CLI::App& jwt, Command& command);
void AddJwtDrill(CLI::App& jwt, Command& command);

}  // namespace qarion::secrets::cli
