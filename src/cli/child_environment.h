// The environment a command is started with: what we inherited, and the secrets.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qarion/secrets/field_set.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"
#include "qarion/secrets/snapshot.h"

namespace qarion::secrets::cli {

struct ChildEnvironmentOptions {
  std::vector<std::string> only = {};  // references of the fields to pass; empty: all
  std::vector<std::pair<std::string, std::string>> renames = {};  // reference, new name
  std::string prefix = {};  // of the names that are not renamed
  bool pristine = false;    // nothing but the fields
};

// Variables in the form of execve(2).
//
// Every field that is set leaves the inherited variables together with its NAME_FILE, and those
// that are asked for come back under their final names; so nothing arrives twice or by a name that
// was renamed. What is inherited is not copied: it must outlive this object.
class ChildEnvironment {
 public:
  // kUsage: `options` name a field that does not exist, is not set or is not passed, or lead to a
  // name that is not possible or is used twice. kBadData: a value has a zero byte.
  static Result<ChildEnvironment> Build(const Snapshot& snapshot, const FieldSet& fields,
                                        char* const* inherited,
                                        const ChildEnvironmentOptions& options);

  // Valid until Clear().
  char* const* entries() const noexcept { return entries_.data(); }

  std::string_view largest_field() const noexcept { return largest_field_; }
  std::size_t largest_bytes() const noexcept { return largest_bytes_; }

  // Wipes the copies of the values.
  void Clear();

 private:
  ChildEnvironment() = default;

  Secret variables_;  // `NAME=value\0` for each field
  std::vector<char*> entries_;
  std::string largest_field_;
  std::size_t largest_bytes_ = 0;
};

// Overwrites, where they stand, the values of the variables in `entries` that are named like a
// field of `snapshot`; the kernel shows the process's own in /proc/PID/environ.
void WipeInheritedValues(const Snapshot& snapshot, char* const* entries);

}  // namespace qarion::secrets::cli
