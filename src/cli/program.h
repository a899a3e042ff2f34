// What both programs of the command `qsecrets` have in common: `qsecrets` itself, and the second
// one, which has the subcommands that need cryptography or databases (docs/adr/0010).
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string_view>

#include "cli/command.h"

namespace qarion::secrets::cli {

struct Subcommand {
  std::string_view name;
  // Null: the second program has it, which this one then becomes.
  void (*add)(CLI::App& app, Command& command) = nullptr;
  // What it does, in one line; for those of the second program.
  const char* description = "";
  // How it ends where the command line is wrong, and where there is a defect (sysexits.h).
  int usage_status = 64;
  int internal_status = 70;
  // The same where memory runs out, which ends the process at once.
  int no_memory_status = 69;
  const char* no_memory_cure =
      "give this process more memory and threads (ulimit -v and -u, the limits of its container), "
      "or less to work on";
  // What to do about a defect.
  const char* internal_cure = "please report it";
};

struct Program {
  const char* footer;
  std::span<const Subcommand> subcommands;
};

// Runs the subcommand that the arguments name, and returns the exit status. Nothing else is needed
// in main.
int RunProgram(const Program& program, int argc, char** argv);

}  // namespace qarion::secrets::cli
