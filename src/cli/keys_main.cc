// The program `qsecrets-keys`, which `qsecrets` becomes for what needs cryptography.
#include <array>
#include <csignal>

#include "cli/command.h"
#include "cli/program.h"
#include "runtime/module_file.h"

namespace cli = qarion::secrets::cli;

namespace {

constexpr char kFooter[] = "These are the subcommands of `qsecrets` that need cryptography.";

constexpr std::array kSubcommands = {
    cli::Subcommand{.name = "fernet", .add = cli::AddFernet},
    cli::Subcommand{.name = "jwt", .add = cli::AddJwt},
    cli::Subcommand{
        .name = "rotate",
        .add = cli::AddRotate,
        .internal_status = cli::kSeeVerify,
        .no_memory_status = cli::kSeeVerify,
        .no_memory_cure =
            "give this process more memory and threads (ulimit -v and -u, the limits of its "
            "container); if it was a rotation, see what became of it: qsecrets rotate "
            "encryption-key verify",
        .internal_cure = "please report it; if it was a rotation, see what became of it: qsecrets "
                         "rotate encryption-key verify"}};

}  // namespace

int main(int argc, char** argv) {
  // A file that may not grow is an error of writing, after which a key file is removed.
  std::signal(SIGXFSZ, SIG_IGN);
  qarion::secrets::runtime::FindModulesBesideProgram();
  return cli::RunProgram({.footer = kFooter, .subcommands = kSubcommands}, argc, argv);
}
