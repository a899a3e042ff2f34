// The environment variables that AWS clients read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/setting_lookup.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// All that any part of this client reads, as they were when the backend was opened: settings do
// not change while a process runs.
//
// Thread-safety: const members from several threads.
class Variables {
 public:
  explicit Variables(const core::SettingLookup& lookup);

  // Nothing where it is not set; it may be empty. Valid as long as this.
  std::optional<std::string_view> Find(std::string_view name) const;
  // The same where empty is as good as not set.
  std::string Text(std::string_view name) const;

  // A path as boto3 expands those of its files: $NAME and ${NAME} of the environment (unknown ones
  // stay), then ~ and ~user at its beginning.
  std::string ExpandPath(std::string_view path) const;
  // "~" alone: the user's home directory; empty where there is none.
  std::string Home() const;

  // Values that are credentials: the secret key, tokens.
  std::vector<Secret> Credentials() const;

 private:
  core::SettingLookup lookup_;
  std::map<std::string, Secret, std::less<>> values_;
};

}  // namespace qarion::secrets::aws
