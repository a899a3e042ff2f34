#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/child_environment.h"
#include "cli/command.h"
#include "cli/kernels_warning.h"
#include "cli/supervisor.h"
#include "qarion/secrets/runtime.h"

namespace qarion::secrets::cli {
namespace {

// As env(1), nohup(1) and timeout(1) have them.
constexpr int kOwnFailure = 125;
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

struct ExecOptions {
  ChildEnvironmentOptions environment;
  std::vector<std::string> renames;  // OLD=NEW
  std::vector<std::string> command;
  std::vector<std::string> unknown;  // options that do not exist
  bool no_scrub = false;
  bool all = false;
  bool strict = false;
};

int Fail(const Error& error) {
  Report(error);
  return kOwnFailure;
}

// What is wrong with the command line, if anything; completes `options`.
Status ReadArguments(ExecOptions& options) {
  constexpr std::string_view kUsage = "usage: qsecrets exec [OPTIONS] [--] COMMAND [ARGUMENT...]";
  const auto unknown = std::find_if(options.unknown.begin(), options.unknown.end(),
                                    [](const std::string& argument) { return argument != "--"; });
  if (unknown != options.unknown.end()) {
    return Error(ErrorCode::kUsage, "exec has no option '" + *unknown + "'")
        .Cure("see `qsecrets exec --help`; options of the command come after it");
  }
  if (options.command.empty() || options.command.front().empty()) {
    return Error(ErrorCode::kUsage, "exec needs a command").Cure(std::string(kUsage));
  }
  for (const std::string& rename : options.renames) {
    const std::size_t equals = rename.find('=');
    if (equals == std::string::npos) {
      return Error(ErrorCode::kUsage, "--rename needs OLD=NEW")
          .Cure("write --rename POSTGRES_PASSWORD=PGPASSWORD");
    }
    options.environment.renames.emplace_back(rename.substr(0, equals), rename.substr(equals + 1));
  }
  return {};
}

// Says what is wrong with the fields. Returns whether the command may be started.
Result<bool> ReportFindings(const Runtime& runtime, bool strict) {
  Result<std::vector<Finding>> findings = runtime.Check();
  if (!findings) return std::move(findings).error();
  bool clean = true;
  for (const Finding& finding : *findings) {
    if (finding.severity != Severity::kError) continue;
    clean = false;
    std::fprintf(stderr, "qsecrets: %s: %s: %s\n", strict ? "error" : "warning",
                 finding.subject.c_str(), finding.problem.c_str());
  }
  return clean || !strict;
}

std::string CureOfNotStarted(const std::string& command, int error) {
  const bool is_path = command.find('/') != std::string::npos;
  switch (error) {
    case ENOENT:
      if (!is_path) return "install it, add its directory to PATH, or write its path";
      // The file is there, so what is missing is the program that it asks for.
      return access(command.c_str(), F_OK) == 0
                 ? "install the interpreter that its first line names, or the loader it was built "
                   "for"
                 : "correct the path; a relative one begins at the working directory";
    case EACCES: return "name a program, and let this user execute it: chmod +x";
    case ENOEXEC: return "name a program built for this machine, or a script with a first line #!";
    default: return "see that it can be run without qsecrets";
  }
}

int ReportNotStarted(const ExecOptions& options, const ChildEnvironment& environment, int error) {
  const std::string& command = options.command.front();
  const std::string reason = "cannot run '" + command + "': ";
  if (error == E2BIG) {
    Report(Error(ErrorCode::kUsage, reason +
                                        "arguments and environment are too large; the largest "
                                        "field is " +
                                        std::string(environment.largest_field()) + " with " +
                                        std::to_string(environment.largest_bytes()) + " bytes")
               .Cure("leave it out with --only, and let the command read it with `qsecrets get`"));
  } else {
    Report(Error(ErrorCode::kUsage, reason + std::strerror(error))
               .Cure(CureOfNotStarted(command, error)));
  }
  return error == ENOENT ? kNotFound : kNotExecutable;
}

// What is needed of the runtime once its threads have ended.
struct Prepared {
  std::shared_ptr<const Snapshot> snapshot;
  ChildEnvironment environment;
  Scrubber scrubber;
};

Result<std::optional<Prepared>> Prepare(const ExecOptions& options) {
  Result<Runtime> runtime = OpenRuntime(options.all);
  if (!runtime) return std::move(runtime).error();
  Result<std::shared_ptr<const Snapshot>> snapshot = runtime->TakeSnapshot();
  if (!snapshot) return std::move(snapshot).error();
  Result<ChildEnvironment> environment =
      ChildEnvironment::Build(**snapshot, runtime->fields(), environ, options.environment);
  if (!environment) return std::move(environment).error();
  Result<bool> may_start = ReportFindings(*runtime, options.strict);
  if (!may_start) return std::move(may_start).error();
  if (!*may_start) return std::optional<Prepared>();
  return std::optional<Prepared>(
      Prepared{std::move(*snapshot), std::move(*environment), runtime->scrubber()});
}

int RunExec(ExecOptions& options) {
  if (Status read = ReadArguments(options); !read) return Fail(read.error());
  Result<std::optional<Prepared>> result = Prepare(options);
  if (!result) return Fail(result.error());
  if (!*result) return kOwnFailure;
  Prepared& prepared = **result;
  const ChildProgram program{options.command, prepared.environment.entries()};
  if (options.no_scrub) {
    return ReportNotStarted(options, prepared.environment, ReplaceProcess(program));
  }
  WarnOfUnknownKernels();
  Result<Outcome> outcome = Supervise(program, prepared.scrubber, [&prepared] {
    prepared.environment.Clear();
    WipeInheritedValues(*prepared.snapshot, environ);
    prepared.snapshot.reset();
  });
  if (!outcome) return Fail(outcome.error());
  if (outcome->start_errno != 0) {
    return ReportNotStarted(options, prepared.environment, outcome->start_errno);
  }
  return outcome->exit_status;
}

// The positional arguments are read raw, so the usual text for them would be misleading.
class ExecFormatter : public CLI::Formatter {
 public:
  std::string make_option_usage(const CLI::Option*) const override {
    return "[--] COMMAND [ARGUMENT...]";
  }
};

// From the first argument that is not an option of ours, everything belongs to the command, byte
// for byte: a list option of CLI11 would take `[0-9]` apart, so as many single arguments are
// expected as there can be.
CLI::Option* AddCommandArguments(CLI::App& exec) {
  constexpr int kAnyNumber = 1 << 24;
  exec.positionals_at_end();
  exec.allow_extras();
  return exec.add_option("command")
      ->expected(kAnyNumber)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->group("");
}

}  // namespace

void AddExec(CLI::App& app, Command& command) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* exec = app.add_subcommand(
      "exec", "Run a command with the secrets in its environment and out of its output");
  exec->formatter(std::make_shared<ExecFormatter>());
  exec->add_option("--only", options->environment.only, "Pass these fields alone")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  exec->add_option("--rename", options->renames, "Pass OLD under the name NEW; may be repeated")
      ->allow_extra_args(false)
      ->type_name("OLD=NEW");
  exec->add_option("--prefix", options->environment.prefix,
                   "Put this before the name of every field that is not renamed")
      ->type_name("TEXT");
  exec->add_flag("--pristine", options->environment.pristine,
                 "Pass the fields and nothing of this environment");
  exec->add_flag("--no-scrub", options->no_scrub,
                 "Become the command: no process stays behind, and its output is not scrubbed");
  exec->add_flag("--all", options->all, "Pass every key of the secret, managed or not");
  exec->add_flag("--strict", options->strict,
                 "Do not start the command where `qsecrets check` finds an error");
  CLI::Option* arguments = AddCommandArguments(*exec);
  exec->footer(
      "Standard output and standard error pass through qsecrets, which masks every value with "
      "***.\n"
      "Signals are passed on. Exit status: the command's, 128+N where signal N ended it, 74 "
      "where\n"
      "its output cannot be written though it ended with 0, 125 where qsecrets fails, 126 where "
      "the\n"
      "command cannot be run, 127 where it is not found.\n\n"
      "Examples:\n"
      "  qsecrets exec -- ./service --port 8080\n"
      "  qsecrets exec --only POSTGRES_PASSWORD --rename POSTGRES_PASSWORD=PGPASSWORD -- psql\n");
  exec->callback([exec, options, arguments, &command] {
    options->command = arguments->results();
    options->unknown = exec->remaining();
    command = [options] { return RunExec(*options); };
  });
}

}  // namespace qarion::secrets::cli
