// What the subcommands of `qsecrets` share. Each stands in a file of its own and registers itself.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "qarion/secrets/runtime.h"

namespace qarion::secrets::cli {

// Set by the callback of the subcommand that was chosen; run after parsing; returns the exit
// status.
using Command = std::function<int()>;

void AddGet(CLI::App& app, Command& command);
void AddList(CLI::App& app, Command& command);
void AddCheck(CLI::App& app, Command& command);
void AddExec(CLI::App& app, Command& command);
void AddScrub(CLI::App& app, Command& command);
void AddStatus(CLI::App& app, Command& command);
void AddVersion(CLI::App& app, Command& command);

// Those of the second program, and what `qsecrets --help` says of them.
inline constexpr char kFernetDescription[] = "Make keys, encrypt and decrypt as services do";
void AddFernet(CLI::App& app, Command& command);
inline constexpr char kJwtDescription[] = "Make, verify and inspect JSON Web Tokens";
void AddJwt(CLI::App& app, Command& command);
inline constexpr char kRotateDescription[] = "Change a key and all that is encrypted with it";
void AddRotate(CLI::App& app, Command& command);

// What a command opens: settings from the environment, log lines to standard error. `all`
// manages every key of the secret.
RuntimeOptions Options(bool all = false);
Result<Runtime> OpenRuntime(bool all = false);

// Adds `-o, --output FORMAT`, one of `formats`, "text" if it is not given.
void AddOutputOption(CLI::App& app, std::string& format, const std::vector<std::string>& formats);

// How a rotation ends whose outcome is not known, or which is committed while what was to follow
// failed; also one that runs out of memory or meets a defect, wherever it is. `verify` tells.
inline constexpr int kSeeVerify = 74;

// A check for options that name a file or the like: says what is wrong with an empty name, and with
// the next option, which CLI11 takes where the value behind `=` is empty.
std::string RefuseNoName(const std::string& given);

}  // namespace qarion::secrets::cli
