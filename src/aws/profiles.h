// The profiles of a user: ~/.aws/config and ~/.aws/credentials together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/ini_file.h"
#include "aws/variables.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// One value of a profile. Valid as long as the Profiles.
struct ProfileValue {
  std::string_view text;
  std::string where;  // "/home/me/.aws/config:12", for errors
  const IniEntry* entry = nullptr;

  // "role_arn in /home/me/.aws/config:12"
  std::string NamedAs(const std::string& name) const { return name + " in " + where; }
};

// A section, or two of them under one name: of a value that stands in both files, the one in the
// credentials file counts.
class Profile {
 public:
  // A section of any such file; both outlive it.
  Profile(const IniSection& section, const std::string& path) : parts_({Part{&section, &path}}) {}

  std::optional<ProfileValue> Find(std::string_view name) const;
  // The same as a text of its own; empty where there is none or it is empty.
  std::string Text(std::string_view name) const;

 private:
  friend class Profiles;
  Profile() = default;

  struct Part {
    const IniSection* section = nullptr;
    const std::string* path = nullptr;
  };
  std::vector<Part> parts_;  // the first that has a value counts
};

// Thread-safety: const members from several threads.
class Profiles {
 public:
  // Reads AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials).
  // What does not exist counts as empty; so do /dev/null, a variable without text, and what lies in
  // the home directory of somebody else. kConfiguration: may not be read or is no file. kBadData:
  // see ParseIni. kConfiguration: AWS_DEFAULT_PROFILE, or else AWS_PROFILE, names a profile that
  // neither has; known ones are listed.
  static Result<Profiles> Load(const Variables& variables);

  // The profile in use, "default" where no variable names one.
  const std::string& current() const noexcept { return current_; }
  // Which variable names it; empty where none does.
  const std::string& current_setting() const noexcept { return current_setting_; }

  // Nothing where there is no such profile. The views of one file alone are for static keys, which
  // boto3 looks for in one file at a time.
  std::optional<Profile> Find(std::string_view name) const;
  std::optional<Profile> InCredentialsFile(std::string_view name) const;
  std::optional<Profile> InConfigFile(std::string_view name) const;
  // [sso-session NAME] and [services NAME] of the config file.
  std::optional<Profile> SsoSession(std::string_view name) const;
  std::optional<Profile> Services(std::string_view name) const;

  // Names of all profiles, sorted.
  std::vector<std::string> Names() const;

  const std::string& config_path() const noexcept;
  const std::string& credentials_path() const noexcept;

  // Values of the files that are credentials: secret keys, tokens.
  std::vector<Secret> Credentials() const;

 private:
  struct Files;

  explicit Profiles(std::shared_ptr<const Files> files) : files_(std::move(files)) {}

  std::shared_ptr<const Files> files_;
  std::string current_ = "default";
  std::string current_setting_;
};

}  // namespace qarion::secrets::aws
