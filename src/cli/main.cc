// The command `qsecrets`.
#include <array>

#include "cli/command.h"
#include "cli/program.h"

namespace cli = qarion::secrets::cli;

namespace {

constexpr char kFooter[] =
    "Settings, from the environment or the .env file:\n"
    "  SECRETS_BACKEND     the store: env (default) or a module, see `qsecrets version`\n"
    "  SECRETS_ENV_FILE    the dotenv file (default: .env, if present)\n"
    "  SECRETS_DIR         a directory with one file per field\n"
    "  SECRETS_FIELDS      further fields: PAYMENT_KEY,PARTNER_TOKEN_*\n"
    "  SECRETS_CACHE_TTL, SECRETS_MAX_STALE   seconds; see the man page\n"
    "  SECRETS_SCRUB_MIN_LENGTH, SECRETS_SCRUB_ALLOW   what is let through in output\n"
    "  VAULT_ADDR, VAULT_TOKEN, VAULT_SECRET_PATH, ...   of the backend vault\n"
    "  AWS_SECRET_ARN, AWS_REGION, AWS_PROFILE, ...      of the backend aws_sm\n"
    "  GCP_SECRET_PROJECT, GCP_SECRET_NAME, ...          of the backend gcp_sm\n"
    "\n"
    "Examples:\n"
    "  qsecrets check                               is everything in order?\n"
    "  qsecrets exec -- ./service                   run it with its secrets, its output scrubbed\n"
    "  psql \"password=$(qsecrets get POSTGRES_PASSWORD)\"\n"
    "  ./service 2>&1 | qsecrets scrub              the scrubber alone\n"
    "\n"
    "Exit status: 0 done, 64 usage, 65 bad data, 69 store unavailable or no memory, 70 internal,\n"
    "74 input or output, 75 try again, 77 not permitted, 78 configuration. `exec` passes the\n"
    "command's on.";

constexpr int kExecFailure = 125;

constexpr std::array kSubcommands = {
    cli::Subcommand{.name = "exec",
                    .add = cli::AddExec,
                    .usage_status = kExecFailure,
                    .internal_status = kExecFailure,
                    .no_memory_status = kExecFailure},
    cli::Subcommand{.name = "get", .add = cli::AddGet},
    cli::Subcommand{.name = "list", .add = cli::AddList},
    cli::Subcommand{.name = "check", .add = cli::AddCheck},
    cli::Subcommand{.name = "scrub", .add = cli::AddScrub},
    cli::Subcommand{.name = "fernet", .description = cli::kFernetDescription},
    cli::Subcommand{.name = "jwt", .description = cli::kJwtDescription},
    cli::Subcommand{.name = "rotate", .description = cli::kRotateDescription},
    cli::Subcommand{.name = "status", .add = cli::AddStatus},
    cli::Subcommand{.name = "version", .add = cli::AddVersion}};

}  // namespace

int main(int argc, char** argv) {
  return cli::RunProgram({.footer = kFooter, .subcommands = kSubcommands}, argc, argv);
}
