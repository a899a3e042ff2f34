// One layered reader of settings: explicit options, then the process environment, then `.env`.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dotenv.h"
#include "core/environment.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::core {

// The settings every backend has. They say how secrets are read, so `*` does not make them fields.
std::span<const std::string_view> GeneralSettings() noexcept;
bool IsGeneralSetting(std::string_view name) noexcept;

// Where `.env` is: what SECRETS_ENV_FILE says, or in the working directory.
std::string EnvFilePath(const Environment& environment);

// A setting that was found. The text is valid as long as the Settings and the environment.
struct Setting {
  std::string_view text;
  std::string source;  // "option", "process environment", ".env:3"
};

// The `.env` file: where it is, and what it said when it was last read.
//
// Thread-safety: one thread at a time.
class EnvFile {
 public:
  // `named`: the operator chose the path, so it must exist.
  EnvFile(std::string path, bool named) : path_(std::move(path)), named_(named) {}

  // Reads and expands the file, unless it is a pipe that was read before. A file that nobody named
  // and that does not exist counts as empty.
  // See ReadFile; kBadData: see ParseDotenv.
  Status Load(const Environment& ambient);

  const std::string& path() const noexcept { return path_; }
  bool exists() const noexcept { return status_.has_value(); }
  const ResolvedDotenv& contents() const noexcept { return contents_; }
  // Of the file that was read; none where there was none.
  const std::optional<struct stat>& status() const noexcept { return status_; }

 private:
  bool IsCurrent(const struct stat* now) const;

  std::string path_;
  bool named_;
  std::chrono::system_clock::time_point loaded_at_;
  std::optional<struct stat> status_;
  ResolvedDotenv contents_;
};

// Thread-safety: const members from several threads.
class Settings {
 public:
  // Reads `.env` where SECRETS_ENV_FILE says (`.env` in the working directory where it says
  // nothing;
  // `/dev/null` for none).
  static Result<Settings> Load(const Environment& environment,
                               std::map<std::string, std::string> options);

  std::optional<Setting> Find(std::string_view name) const;

  // Whole seconds in [0, `maximum`], digits only. kConfiguration: anything else.
  Result<std::chrono::seconds> Seconds(std::string_view name, std::chrono::seconds fallback,
                                       std::chrono::seconds maximum) const;

  // A whole number of bytes in [1, `maximum`], digits only. kConfiguration: anything else.
  Result<std::size_t> Bytes(std::string_view name, std::size_t fallback, std::size_t maximum) const;

  // A text that must not be empty if it is set. kConfiguration: empty, not UTF-8, or a control
  // character.
  Result<std::string> Text(std::string_view name, std::string_view fallback) const;

  // Comma-separated items, white space around them dropped. kConfiguration: an empty item.
  Result<std::vector<std::string>> List(std::string_view name) const;

  const Environment& environment() const noexcept { return *environment_; }
  // Shared with the `env` provider, which reads it again at each fetch.
  const std::shared_ptr<EnvFile>& env_file() const noexcept { return env_file_; }

 private:
  const Environment* environment_ = nullptr;
  std::map<std::string, std::string, std::less<>> options_;
  std::shared_ptr<EnvFile> env_file_;
  // What `.env` said at the start: a setting does not change while the process runs.
  std::map<std::string, std::pair<Secret, std::string>, std::less<>> from_file_;
};

}  // namespace qarion::secrets::core
