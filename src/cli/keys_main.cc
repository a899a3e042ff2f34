// The program `qsecrets-keys`, which `qsecrets` becomes for what needs cryptography.
#include <array>

#include "cli/command.h"
#include "cli/program.h"
#include "runtime/module_file.h"

namespace cli = qarion::secrets::cli;

namespace {

constexpr char kFooter[] = "These are the subcommands of `qsecrets` that need cryptography.";

constexpr std::array kSubcommands = {cli::Subcommand{.name = "fernet", .add = cli::AddFernet},
                                     cli::Subcommand{.name = "rotate", .add = cli::AddRotate}};

}  // namespace

int main(int argc, char** argv) {
  qarion::secrets::runtime::FindModulesBesideProgram();
  return cli::RunProgram({.footer = kFooter, .subcommands = kSubcommands}, argc, argv);
}
