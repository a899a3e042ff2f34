#include "cli/program.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/companion.h"
#include "cli/output.h"
#include "cli/standard_streams.h"
#include "core/build_info.h"
#include "core/spelling.h"

namespace qarion::secrets::cli {
namespace {

constexpr int kUsage = 64;  // sysexits.h

constexpr char kDescription[] =
    "Gives services their secrets from the store you chose, and keeps them out of the logs.";

const Subcommand* Find(const Program& program, std::string_view name) {
  const auto found = std::ranges::find(program.subcommands, name, &Subcommand::name);
  return found == program.subcommands.end() ? nullptr : &*found;
}

// One of the second program is only there to be listed.
void Add(const Subcommand& subcommand, CLI::App& app, Command& command) {
  if (subcommand.add != nullptr) return subcommand.add(app, command);
  app.add_subcommand(std::string(subcommand.name), subcommand.description);
}

Error UnknownCommand(const Program& program, std::string_view given) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : program.subcommands) names.emplace_back(subcommand.name);
  const auto nearest = core::Nearest(given, names);
  // What resembles no command may be anything, so it is not shown.
  return Error(ErrorCode::kUsage, nearest ? "there is no command '" + std::string(given) + "'"
                                          : "the first argument is not a command")
      .Cure(nearest ? "did you mean " + std::string(*nearest) + "?" : "see `qsecrets --help`");
}

// The subcommand that was found last, of a subcommand where there are further ones.
const CLI::App& LastFound(const CLI::App& app) {
  const auto found = app.get_subcommands();
  return found.empty() ? app : LastFound(*found.front());
}

// "qsecrets fernet keygen"
std::string FullName(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? app.get_name() : FullName(*parent) + " " + app.get_name();
}

// What is written like an option may be a value all the same: a name is short and of small letters.
bool IsNameOfOption(std::string_view text) {
  constexpr std::size_t kLongest = 26;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz-";
  return text.size() == 2 || (text.starts_with("--") && text.size() <= kLongest &&
                              text.find_first_not_of(kLetters) == text.npos);
}

// An argument that nobody expects may be a value that belongs elsewhere, so it is shown only where
// it resembles what there is, and of an option the name alone.
Error Unexpected(const CLI::App& app, const std::string& argument) {
  const CLI::App& last = LastFound(app);
  const std::string help = "see `" + FullName(last) + " --help`";
  if (argument.starts_with('-')) {
    const std::string name = argument.substr(0, argument.find('='));
    return Error(ErrorCode::kUsage, IsNameOfOption(name) ? "there is no option '" + name + "'"
                                                         : "there is no such option")
        .Cure(help);
  }
  std::vector<std::string> names;
  for (const CLI::App* subcommand : last.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(subcommand->get_name());
  }
  if (names.empty()) return Error(ErrorCode::kUsage, "there is an argument too many").Cure(help);
  if (const auto nearest = core::Nearest(argument, names)) {
    return Error(ErrorCode::kUsage,
                 "there is no command '" + last.get_name() + " " + argument + "'")
        .Cure("did you mean " + std::string(*nearest) + "?");
  }
  return Error(ErrorCode::kUsage, "'" + last.get_name() + "' has no such command").Cure(help);
}

// Whether the error may be because of an argument that CLI11 did not know what to do with.
bool IsAboutArguments(const CLI::ParseError& error) {
  return dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
         dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
}

// What CLI11 says of a value that it cannot read quotes it.
std::string WithoutValue(std::string text) {
  constexpr std::string_view kConversion = "Could not convert: ";
  if (text.starts_with(kConversion)) {
    return "the value of " +
           text.substr(kConversion.size(), text.find(" = ") - kConversion.size()) +
           " cannot be read";
  }
  const std::size_t value = text.find("Value ");
  const std::size_t range = text.rfind(" not in range");
  if (value != text.npos && range != text.npos && value < range) {
    text.replace(value, range - value, "the value is");
  }
  return text;
}

int ReportUsage(const Program& program, const CLI::App& app, const CLI::ParseError& error,
                std::string_view first_argument) {
  const Subcommand* const subcommand = Find(program, first_argument);
  if (subcommand == nullptr && !first_argument.starts_with('-')) {
    return Report(UnknownCommand(program, first_argument));
  }
  const std::vector<std::string> unread = app.remaining(true);
  if (!unread.empty() && IsAboutArguments(error)) {
    Report(Unexpected(app, unread.front()));
  } else {
    std::fprintf(stderr, "qsecrets: error: %s\n  to mend it: see `%s --help`\n",
                 WithoutValue(error.what()).c_str(), FullName(LastFound(app)).c_str());
  }
  return subcommand != nullptr ? subcommand->usage_status : kUsage;
}

int Run(const Program& program, int argc, char** argv) {
  const std::string_view first_argument = argc > 1 ? argv[1] : "";
  const Subcommand* const chosen = Find(program, first_argument);
  if (chosen != nullptr && chosen->add == nullptr) return Report(BecomeCompanion(argv));
  CLI::App app(kDescription, "qsecrets");
  app.set_version_flag("--version", std::string("qsecrets ") + core::kVersion);
  app.footer(program.footer);
  app.get_formatter()->column_width(26);
  Command command;
  // Where the first argument names a subcommand, the others are not needed; describing them all
  // would be a quarter of the work of `get`.
  for (const Subcommand& subcommand : program.subcommands) {
    if (chosen == nullptr || chosen == &subcommand) Add(subcommand, app, command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Print(app.help());
  } catch (const CLI::CallForVersion& version) {
    return Print(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    return ReportUsage(program, app, error, first_argument);
  }
  if (command) return command();
  std::fputs(app.help().c_str(), stderr);
  return kUsage;
}

// What runs, for whoever runs out of memory, in whatever thread.
constinit Subcommand running;

// Needs no memory, and gives none back: a thread may be in the middle of anything.
[[noreturn]] void EndForWantOfMemory() {
  for (const std::string_view text :
       {std::string_view("qsecrets: error: memory ran out\n  to mend it: "),
        std::string_view(running.no_memory_cure), std::string_view("\n")}) {
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  }
  std::_Exit(running.no_memory_status);
}

// Before the statics of CLI11 allocate.
[[gnu::constructor(101)]] void WatchForWantOfMemory() { std::set_new_handler(EndForWantOfMemory); }

// A thread that there is no room for is a want of memory too.
bool IsWantOfMemory(const std::system_error& error) {
  return error.code() == std::errc::resource_unavailable_try_again ||
         error.code() == std::errc::not_enough_memory;
}

// What was thrown may quote anything, so it is not shown.
int ReportInternal() {
  std::fprintf(stderr, "qsecrets: error: an internal error\n  to mend it: %s\n",
               running.internal_cure);
  return running.internal_status;
}

int RunGuarded(const Program& program, int argc, char** argv) {
  try {
    return Run(program, argc, argv);
  } catch (const std::bad_alloc&) {
    EndForWantOfMemory();
  } catch (const std::system_error& error) {
    if (IsWantOfMemory(error)) EndForWantOfMemory();
    return ReportInternal();
  } catch (...) {
    return ReportInternal();
  }
}

}  // namespace

int RunProgram(const Program& program, int argc, char** argv) {
  // No core dump, and no look into the memory by other processes of the same user.
  prctl(PR_SET_DUMPABLE, 0);
  HoldClosedStandardStreams();
  if (const Subcommand* const given = Find(program, argc > 1 ? argv[1] : "")) running = *given;
  const int status = RunGuarded(program, argc, argv);
#ifdef QARION_QUICK_EXIT
  // Nothing is left to do, and the libraries of a backend would take their time to say so.
  std::fflush(nullptr);
  std::_Exit(status);
#else
  return status;
#endif
}

}  // namespace qarion::secrets::cli
