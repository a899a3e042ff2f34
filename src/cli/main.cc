#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/supervisor.h"
#include "core/build_info.h"
#include "core/spelling.h"

namespace secrets = qarion::secrets;
namespace cli = qarion::secrets::cli;

namespace {

constexpr int kUsage = 64;     // sysexits.h
constexpr int kInternal = 70;  // sysexits.h
constexpr int kExecFailure = 125;

constexpr char kDescription[] =
    "Gives services their secrets from the store you chose, and keeps them out of the logs.";

constexpr char kFooter[] =
    "Settings, from the environment or the .env file:\n"
    "  SECRETS_BACKEND     the store: env (default) or a module, see `qsecrets version`\n"
    "  SECRETS_ENV_FILE    the dotenv file (default: .env, if present)\n"
    "  SECRETS_DIR         a directory with one file per field\n"
    "  SECRETS_FIELDS      further fields: PAYMENT_KEY,PARTNER_TOKEN_*\n"
    "  SECRETS_CACHE_TTL, SECRETS_MAX_STALE   seconds; see the man page\n"
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
    "Exit status: 0 done, 64 usage, 65 bad data, 69 store unavailable, 70 internal, 74 input or\n"
    "output, 75 try again, 77 not permitted, 78 configuration. `exec` passes the command's on.";

struct Subcommand {
  std::string_view name;
  void (*add)(CLI::App& app, cli::Command& command);
};

constexpr std::array kSubcommands = {
    Subcommand{"exec", cli::AddExec},      Subcommand{"get", cli::AddGet},
    Subcommand{"list", cli::AddList},      Subcommand{"check", cli::AddCheck},
    Subcommand{"scrub", cli::AddScrub},    Subcommand{"status", cli::AddStatus},
    Subcommand{"version", cli::AddVersion}};

// Where the first argument names a subcommand, the others are not needed; describing them all would
// be a quarter of the work of `get`.
void AddSubcommands(std::string_view first_argument, CLI::App& app, cli::Command& command) {
  const auto chosen = std::ranges::find(kSubcommands, first_argument, &Subcommand::name);
  if (chosen != kSubcommands.end()) return chosen->add(app, command);
  for (const Subcommand& subcommand : kSubcommands) subcommand.add(app, command);
}

bool IsSubcommand(std::string_view name) {
  return std::ranges::find(kSubcommands, name, &Subcommand::name) != kSubcommands.end();
}

secrets::Error UnknownCommand(std::string_view given) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : kSubcommands) names.emplace_back(subcommand.name);
  const auto nearest = secrets::core::Nearest(given, names);
  // What resembles no command may be anything, so it is not shown.
  return secrets::Error(secrets::ErrorCode::kUsage,
                        nearest ? "there is no command '" + std::string(given) + "'"
                                : "the first argument is not a command")
      .Cure(nearest ? "did you mean " + std::string(*nearest) + "?" : "see `qsecrets --help`");
}

int ReportUsage(const CLI::ParseError& error, std::string_view first_argument) {
  if (!first_argument.starts_with('-') && !IsSubcommand(first_argument)) {
    return secrets::Report(UnknownCommand(first_argument));
  }
  std::fprintf(stderr, "qsecrets: error: %s\n  to mend it: see `qsecrets --help`\n", error.what());
  return first_argument == "exec" ? kExecFailure : kUsage;
}

int Run(int argc, char** argv) {
  const std::string_view first_argument = argc > 1 ? argv[1] : "";
  CLI::App app(kDescription, "qsecrets");
  app.set_version_flag("--version", std::string("qsecrets ") + secrets::core::kVersion);
  app.footer(kFooter);
  app.get_formatter()->column_width(26);
  cli::Command command;
  AddSubcommands(first_argument, app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return cli::Print(app.help());
  } catch (const CLI::CallForVersion& version) {
    return cli::Print(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    return ReportUsage(error, first_argument);
  }
  if (command) return command();
  std::fputs(app.help().c_str(), stderr);
  return kUsage;
}

int RunGuarded(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (...) {
    // What was thrown may quote anything, so it is not shown.
    std::fputs("qsecrets: error: an internal error\n  to mend it: please report it\n", stderr);
    return argc > 1 && std::string_view(argv[1]) == "exec" ? kExecFailure : kInternal;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // No core dump, and no look into the memory by other processes of the same user.
  prctl(PR_SET_DUMPABLE, 0);
  cli::HoldClosedStandardStreams();
  const int status = RunGuarded(argc, argv);
#ifdef QARION_QUICK_EXIT
  // Nothing is left to do, and the libraries of a backend would take their time to say so.
  std::fflush(nullptr);
  std::_Exit(status);
#else
  return status;
#endif
}
