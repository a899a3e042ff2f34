#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/rotation_database.h"
#include "cli/rotation_json.h"
#include "cli/rotation_keys.h"
#include "cli/rotation_step.h"
#include "cli/rotation_text.h"
#include "cli/signal_stop.h"
#include "core/files.h"
#include "core/printable.h"
#include "fernet/key_file.h"
#include "qarion/secrets/rotation.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kProblemsShown = 10'000;

struct RotateOptions {
  std::string database;
  std::string plan;
  KeyChoice keys;
  bool is_dry_run = false;
  bool allow_empty = false;
  bool allow_unlisted = false;
  bool is_lenient = false;
  bool is_confirmed = false;
  bool scrubs_storage = false;
  bool discovers = false;
  unsigned lock_timeout_seconds = 5;
  std::string format;
  std::string rotation;  // of verify
};

void Say(const std::string& line) {
  std::fprintf(stderr, "qsecrets: %s\n", core::Printable(line).c_str());
}

void SayFinding(const Finding& finding) {
  const bool is_error = finding.severity == Severity::kError;
  std::fprintf(stderr, "%-9s%s: %s\n", is_error ? "error" : "note",
               core::Printable(finding.subject).c_str(), core::Printable(finding.problem).c_str());
  if (!finding.cure.empty()) {
    std::fprintf(stderr, "         %s\n", core::Printable(finding.cure).c_str());
  }
}

// A key as messages name it: its fingerprint, and where it is from.
struct NamedKey {
  std::string fingerprint;
  std::string source;
};

// What every action opens. The database is only connected to, and the plan's tables are found.
struct Session {
  KeyRotation rotation;
  NamedKey new_key;
  std::vector<NamedKey> old_keys;
  Secret generated;  // of --generate: not written yet
  std::stop_token stop;
  ProgressBar* bar;
};

// SQLite takes files of certain names for its own, and removes them.
Status CheckKeyIsNoPartOf(const std::string& address, const std::string& key_file) {
  constexpr std::string_view kScheme = "sqlite:";
  if (key_file.empty() || !address.starts_with(kScheme)) return {};
  std::error_code ignored;
  const auto database =
      std::filesystem::weakly_canonical(address.substr(kScheme.size()), ignored).string();
  const auto key = std::filesystem::weakly_canonical(key_file, ignored).string();
  for (const char* const suffix : {"", "-journal", "-wal", "-shm"}) {
    if (key != database + suffix) continue;
    return Error(ErrorCode::kConfiguration,
                 "--generate " + core::ShownPath(key_file) + " is a file of the database itself")
        .Cure("name another file");
  }
  return {};
}

Result<std::optional<std::string>> ReadPlan(const RotateOptions& given) {
  if (given.plan.empty()) return std::optional<std::string>();
  auto file = core::ReadFile(given.plan, "--plan", core::PipesAllowed::kYes, core::kMaxFileBytes,
                             ErrorCode::kConfiguration);
  if (!file) return std::move(file).error();
  return std::optional<std::string>(file->bytes.Reveal());
}

Result<DatabaseAccess> AccessOf(const RotateOptions& given, const Runtime& runtime) {
  auto address = DatabaseAddress(given.database);
  if (!address) return std::move(address).error();
  auto password = FieldOrEmpty(runtime, "POSTGRES_PASSWORD");
  if (!password) return std::move(password).error();
  return DatabaseAccess{*std::move(address), *std::move(password),
                        std::chrono::seconds(given.lock_timeout_seconds)};
}

Result<RotationOptions> Prepare(const RotateOptions& given, const Runtime& runtime,
                                RotationKeys keys) {
  auto access = AccessOf(given, runtime);
  if (!access) return std::move(access).error();
  if (Status apart = CheckKeyIsNoPartOf(access->database, given.keys.generate); !apart) {
    return apart.error();
  }
  RotationOptions options{.database = std::move(access->database),
                          .password = std::move(access->password),
                          .new_key = std::move(keys.new_key),
                          .old_keys = std::move(keys.old_keys),
                          .other_secrets = OtherSecrets(runtime),
                          .is_dry_run = given.is_dry_run,
                          .allow_empty = given.allow_empty,
                          .allow_unlisted = given.allow_unlisted,
                          .is_lenient = given.is_lenient,
                          .lock_timeout = access->lock_timeout,
                          .max_named_problems = kProblemsShown};
  auto plan = ReadPlan(given);
  if (!plan) return std::move(plan).error();
  options.plan = *std::move(plan);
  if (options.plan) options.plan_name = core::ShownPath(given.plan);
  return options;
}

Result<Session> OpenSession(const RotateOptions& given, ProgressBar& bar, std::stop_token stop) {
  auto runtime = OpenRuntime();
  if (!runtime) return std::move(runtime).error();
  auto keys = ChooseKeys(given.keys, *runtime);
  if (!keys) return std::move(keys).error();
  const NamedKey new_key{keys->new_key.fingerprint(), keys->new_source};
  std::vector<NamedKey> old_keys;
  for (std::size_t i = 0; i < keys->old_keys.size(); ++i) {
    old_keys.push_back({keys->old_keys[i].fingerprint(), keys->old_sources[i]});
  }
  Secret generated = given.keys.generate.empty() ? Secret() : keys->new_key.Encode();
  auto options = Prepare(given, *runtime, *std::move(keys));
  if (!options) return std::move(options).error();
  options->stop = stop;
  options->on_progress = [&bar](const RotationProgress& progress) {
    bar.Show(progress.phase == RotationPhase::kRotate ? "rotating" : "reading back", progress.rows,
             progress.estimated_rows);
  };
  options->on_problem = [&bar](const RotationProblem& problem) {
    bar.Clear();
    Say(ProblemText(problem));
  };
  auto rotation = KeyRotation::Open(*std::move(options));
  if (!rotation) return std::move(rotation).error();
  return Session{*std::move(rotation), new_key,         std::move(old_keys),
                 std::move(generated), std::move(stop), &bar};
}

// A line of standard input; nothing where it ends, or the work is to be stopped.
std::optional<std::string> ReadAnswer(const std::stop_token& stop) {
  constexpr int kLookEveryMilliseconds = 100;
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (!stop.stop_requested()) {
    if (poll(&input, 1, kLookEveryMilliseconds) <= 0) continue;
    std::string answer;
    if (!std::getline(std::cin, answer)) break;
    return answer;
  }
  return std::nullopt;
}

// Whether the person at the terminal wants it.
Status Confirm(const RotateOptions& given, const std::stop_token& stop) {
  if (given.is_confirmed || given.is_dry_run) return {};
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
    return Error(ErrorCode::kUsage, "there is no terminal at which a rotation could be confirmed")
        .Cure("try it with --dry-run, see that there is a backup, and give --yes");
  }
  std::fputs("Is there a backup of this database, and shall it be rotated now? [y/N] ", stderr);
  const auto answer = ReadAnswer(stop);
  if (answer == "y" || answer == "yes") return {};
  return Error(ErrorCode::kUsage, "not confirmed; nothing was changed")
      .Cure("answer y, or give --yes");
}

Status WriteGeneratedKey(const RotateOptions& given, const Session& session) {
  if (session.generated.empty() || given.is_dry_run) return {};
  auto key = FernetKey::Parse(session.generated.Reveal(), "the generated key");
  if (!key) return std::move(key).error();
  const Status written = fernet::WriteNewKeyFile(given.keys.generate, *key, "--generate");
  if (written) return {};
  // Not as a failure to write a report, after which the outcome has to be looked for.
  return Error(ErrorCode::kConfiguration, written.error().reason()).Cure(written.error().cure());
}

int PrintReport(const RotateOptions& given, const RotationReport& report) {
  return given.format == "json" ? Print(ReportJson(report).Reveal()) : Print(ReportText(report));
}

void SayKeys(const Session& session) {
  Say("new key " + session.new_key.fingerprint + " of " + session.new_key.source);
  for (const NamedKey& key : session.old_keys) {
    Say("old key " + key.fingerprint + " of " + key.source);
  }
}

int ScrubStorage(Session& session) {
  const Status scrubbed = session.rotation.ScrubStorage(
      [](std::string_view table) { Say("writing anew: " + std::string(table)); });
  if (!scrubbed) {
    Say("the rotation is committed; its tables were not all written anew");
    Report(scrubbed.error());
    return kSeeVerify;
  }
  Say("old ciphertext remains in the write-ahead log, backups and replicas: after a leak, change "
      "the stored credentials themselves");
  return 0;
}

// Of an error with which nothing was changed. The disk of the database, or of a key's file, is
// another matter than this program's own output.
int ReportUnchanged(const Error& error) {
  const int status = Report(error);
  return status == kSeeVerify ? ExitStatus(ErrorCode::kUnavailable) : status;
}

int StatusOf(const RotationReport& report) {
  if (!report.error) return 0;
  if (report.outcome != RotationOutcome::kUnknown) return ReportUnchanged(*report.error);
  Report(*report.error);
  return kSeeVerify;
}

int Rotate(const RotateOptions& given, Session& session) {
  Say("database " + session.rotation.Database());
  SayKeys(session);
  auto findings = session.rotation.Examine();
  if (!findings) return ReportUnchanged(findings.error());
  bool may_go_on = true;
  for (const Finding& finding : *findings) {
    SayFinding(finding);
    may_go_on = may_go_on && finding.severity != Severity::kError;
  }
  if (!may_go_on) return ExitStatus(ErrorCode::kConfiguration);
  if (const Status confirmed = Confirm(given, session.stop); !confirmed)
    return Report(confirmed.error());
  if (const Status written = WriteGeneratedKey(given, session); !written) {
    return Report(written.error());
  }
  const RotationReport report = session.rotation.Rotate();
  session.bar->Clear();
  const int printed = PrintReport(given, report);
  if (const int status = StatusOf(report); status != 0) return status;
  if (given.scrubs_storage && !given.is_dry_run) {
    if (const int status = ScrubStorage(session); status != 0) return status;
  }
  return printed;
}

// Values that do not open with the new key.
std::uint64_t NotRotated(const VerificationReport& report) {
  std::uint64_t count = report.problems;
  for (const auto& [place, tokens] : report.unlisted) count += tokens;
  for (const KeyUsage& usage : report.columns) {
    for (std::size_t i = 1; i < usage.by_key.size(); ++i) count += usage.by_key[i];
  }
  return count;
}

std::uint64_t CountTokens(const VerificationReport& report) {
  std::uint64_t count = report.problems;
  for (const KeyUsage& usage : report.columns) {
    for (const std::uint64_t opened : usage.by_key) count += opened;
  }
  return count;
}

int Verify(const RotateOptions& given, Session& session) {
  auto report = session.rotation.Verify(given.rotation);
  session.bar->Clear();
  if (!report) return ReportUnchanged(report.error());
  int printed = 0;
  if (given.format == "json") {
    printed = Print(VerificationJson(*report).Reveal());
  } else {
    printed = Print(VerificationText(*report));
  }
  if (printed != 0) return printed;
  if (!given.rotation.empty() && !report->rotation) {
    return Report(Error(ErrorCode::kBadData, "the audit table has no row of the rotation " +
                                                 core::ShownPath(given.rotation))
                      .Cure("if database, role and plan are those of the rotation, it was not "
                            "committed: run it again"));
  }
  if (!given.allow_empty && CountTokens(*report) == 0) {
    return Report(Error(ErrorCode::kBadData, "the plan's columns hold no token at all")
                      .Cure("see that it is the right database and plan; where there are none yet: "
                            "--allow-empty"));
  }
  if (const std::uint64_t count = NotRotated(*report); count > 0) {
    return Report(Error(ErrorCode::kBadData, std::to_string(count) +
                                                 (count == 1 ? " value does" : " values do") +
                                                 " not open with the new key")
                      .Cure("rotate what an old key opens, and mend what none does"));
  }
  return 0;
}

// What belongs to a rotation alone, for actions that change nothing.
Status CheckChangesNothing(const RotateOptions& given) {
  if (given.keys.generate.empty() && !given.is_dry_run && !given.discovers &&
      !given.scrubs_storage) {
    return {};
  }
  return Error(ErrorCode::kUsage,
               "--generate, --dry-run, --discover and --scrub-storage belong to a rotation, not to "
               "verify or status")
      .Cure("leave them out");
}

int RunWithSession(const RotateOptions& given, int (*action)(const RotateOptions&, Session&)) {
  if (action != Rotate) {
    if (const Status alone = CheckChangesNothing(given); !alone) return Report(alone.error());
  }
  // A reader that goes away is an error of writing, not the end of a rotation.
  std::signal(SIGPIPE, SIG_IGN);
  auto signals = SignalStop::Create();
  if (!signals) return Report(signals.error());
  int status = 0;
  {
    ProgressBar bar;
    auto session = OpenSession(given, bar, signals->token());
    status = session ? action(given, *session) : ReportUnchanged(session.error());
  }
  // What was done is not undone by a signal that came too late.
  if (status != 0 && status != kSeeVerify) signals->PassOn();
  return status;
}

int RunStatus(const RotateOptions& given) {
  if (const Status alone = CheckChangesNothing(given); !alone) return Report(alone.error());
  if (!given.keys.new_file.empty() || !given.keys.old_files.empty()) {
    return Report(Error(ErrorCode::kUsage, "status names the backend's keys, not those of files")
                      .Cure("leave --new-key-file and --old-key-file out"));
  }
  std::signal(SIGPIPE, SIG_IGN);  // as in RunWithSession
  auto runtime = OpenRuntime();
  if (!runtime) return ReportUnchanged(runtime.error());
  const auto access = AccessOf(given, *runtime);
  if (!access) return ReportUnchanged(access.error());
  const auto plan = ReadPlan(given);
  if (!plan) return ReportUnchanged(plan.error());
  const auto status = ReadRotationStatus(*access, *plan, core::ShownPath(given.plan));
  if (!status) return ReportUnchanged(status.error());
  const BackendKeys keys = ReadBackendKeys(*runtime);
  const RotationStep step = FindStep(*status, keys);
  return given.format == "json" ? Print(StatusJson(*status, keys, step).Reveal())
                                : Print(StatusText(*status, keys, step));
}

int RunDiscover(const RotateOptions& given) {
  auto runtime = OpenRuntime();
  if (!runtime) return ReportUnchanged(runtime.error());
  const auto access = AccessOf(given, *runtime);
  if (!access) return ReportUnchanged(access.error());
  auto keys = KnownKeys(given.keys, *runtime);
  if (!keys) return ReportUnchanged(keys.error());
  auto discovery = DiscoverTokens(*access, *keys);
  if (!discovery) return ReportUnchanged(discovery.error());
  Say("database " + discovery->database);
  for (const DiscoveredColumn& column : discovery->columns) {
    Say(column.table + "." + column.column + ": " + std::to_string(column.tokens) +
        (column.tokens == 1 ? " token, " : " tokens, ") + std::to_string(column.opened) +
        " opened by a key given" + (column.remark.empty() ? "" : "; " + column.remark));
  }
  if (discovery->columns.empty()) {
    return Report(Error(ErrorCode::kBadData, "no column of the database holds a token")
                      .Cure("see that it is the right database, and that all schemas can be read"));
  }
  if (discovery->plan.empty()) {
    return Report(Error(ErrorCode::kBadData, "no column that was found can be rotated by a plan")
                      .Cure("see why each was left out"));
  }
  return Print(discovery->plan);
}

void AddCommonOptions(CLI::App& app, RotateOptions& options) {
  app.add_option("--database", options.database,
                 "PostgreSQL URL or connection string without a password, or sqlite:PATH "
                 "(default: DATABASE_URL, then the PG* variables)")
      ->check(RefuseNoName)
      ->type_name("URL");
  app.add_option("--plan", options.plan, "What is encrypted, in TOML (default: Qarion's own)")
      ->check(RefuseNoName)
      ->type_name("FILE");
  app.add_option("--old-key-file", options.keys.old_files,
                 "A key, or one a line; may be given several times "
                 "(default: INSTANCE_ENCRYPTION_KEY_PREVIOUS)")
      ->check(RefuseNoName)
      ->type_name("FILE");
  auto* new_file = app.add_option("--new-key-file", options.keys.new_file,
                                  "The new key (default: INSTANCE_ENCRYPTION_KEY)")
                       ->check(RefuseNoName)
                       ->type_name("FILE");
  app.add_option("--generate", options.keys.generate,
                 "Make a new key and write it to FILE, which must not exist, before anything else")
      ->check(RefuseNoName)
      ->type_name("FILE")
      ->excludes(new_file);
  app.add_option("--lock-timeout", options.lock_timeout_seconds,
                 "How long to wait for locks that others hold (default: 5)")
      ->check(CLI::Range(0U, 86400U))
      ->type_name("SECONDS");
  AddOutputOption(app, options.format, {"text", "json"});
}

void AddRotation(CLI::App& app, const std::shared_ptr<RotateOptions>& options, Command& command) {
  AddCommonOptions(app, *options);
  app.add_flag("--dry-run", options->is_dry_run, "Do all but the writing");
  app.add_flag("--discover", options->discovers,
               "Find every column that holds tokens, and print a plan for them");
  app.add_flag("--allow-empty", options->allow_empty, "Finding no token at all is no error");
  app.add_flag("--allow-unlisted", options->allow_unlisted,
               "Leave tokens behind that stand where the plan lists none");
  app.add_flag("--lenient", options->is_lenient, "Read altered base64 of older libraries too");
  app.add_flag("--scrub-storage", options->scrubs_storage,
               "Afterwards write the tables anew, so that no old version stays in their files");
  app.add_flag("--yes", options->is_confirmed, "Do not ask");
  app.footer(
      "One transaction: all values or none. Before the commit everything is read back, and the "
      "new\n"
      "key must open all of it. Values that open with the new key already are left as they are.\n\n"
      "Exit status: 0 done, or nothing to do; 65 values, tokens elsewhere or no token stood in "
      "the\n"
      "way; 69 database not reachable, its disk full or memory short; 70 the proof failed; 74\n"
      "outcome unknown, run verify; 75 a lock is held, or another rotation is at\n"
      "work; 77 not permitted; 78 settings, plan or keys.\n"
      "Nothing is changed unless it is 0 or 74.\n\n"
      "Examples:\n"
      "  qsecrets rotate encryption-key --dry-run\n"
      "  qsecrets rotate encryption-key --generate next.key --yes\n"
      "  qsecrets rotate encryption-key verify --database sqlite:app.db");
  app.callback([options, &command, &app] {
    if (!app.get_subcommands().empty()) return;
    command = [options] {
      return options->discovers ? RunDiscover(*options) : RunWithSession(*options, Rotate);
    };
  });
}

}  // namespace

void AddRotate(CLI::App& app, Command& command) {
  auto options = std::make_shared<RotateOptions>();
  CLI::App* rotate = app.add_subcommand("rotate", kRotateDescription);
  rotate->require_subcommand(1);
  rotate->footer("Example:\n  qsecrets rotate encryption-key --dry-run");
  CLI::App* key = rotate->add_subcommand("encryption-key",
                                         "Encrypt all Fernet tokens of a database with a new key");
  AddRotation(*key, options, command);
  key->fallthrough();
  CLI::App* verify =
      key->add_subcommand("verify", "Say which key opens the values; changes nothing");
  verify->add_option("--rotation", options->rotation, "Whether this one was committed")
      ->check(RefuseNoName)
      ->type_name("ID");
  verify->footer(
      "Also takes the options of `qsecrets rotate encryption-key` for database, plan, keys and "
      "output.\n\n"
      "Example:\n  qsecrets rotate encryption-key verify --output json");
  verify->callback(
      [options, &command] { command = [options] { return RunWithSession(*options, Verify); }; });
  CLI::App* status = key->add_subcommand("status", "What is known of rotations of the database");
  status->footer(
      "Needs no key, and reads no value: the latest rotation on record, the plan's tables, and how "
      "far\n"
      "a rotation without an outage is. Also takes --database, --plan, --lock-timeout and "
      "--output\n"
      "of `qsecrets rotate encryption-key`.\n\n"
      "Example:\n  qsecrets rotate encryption-key status");
  status->callback([options, &command] { command = [options] { return RunStatus(*options); }; });
}

}  // namespace qarion::secrets::cli
