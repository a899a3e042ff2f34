// The subcommands of `qsecrets fernet`. Each stands in a file of its own and registers itself.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace qarion::secrets::cli {

void AddFernetKeygen(CLI::App& fernet, Command& command);
void AddFernetEncrypt(CLI::App& fernet, Command& command);
void AddFernetDecrypt(CLI::App& fernet, Command& command);
void AddFernetInspect(CLI::App& fernet, Command& command);

}  // namespace qarion::secrets::cli
