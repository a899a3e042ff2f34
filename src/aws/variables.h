// The environment variables that AWS clients read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/setting_lookup.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// All that any part of this client reads, as they were when the backend was opened: settings do
// not change while a process runs.
//
// Thread-safety: const members from several threads.
class Variables {
 public:
  // `lookup` is used during this call alone.
  explicit Variables(const core::SettingLookup& lookup);

  // Nothing where it is not set; it may be empty. Valid as long as this. `name` is one of the list
  // in variables.cc. Paths of files with profiles and keys are expanded as boto3 expands them:
  // $NAME and ${NAME} (unknown ones stay), then ~ and ~user at the beginning.
  std::optional<std::string_view> Find(std::string_view name) const;
  // The same where empty is as good as not set.
  std::string Text(std::string_view name) const;

  // The user's home directory: HOME, else as the system knows it; empty where it does not.
  std::string Home() const;

  // Values that are credentials: the secret key, tokens.
  std::vector<Secret> Credentials() const;

 private:
  std::map<std::string, Secret, std::less<>> values_;
};

}  // namespace qarion::secrets::aws
