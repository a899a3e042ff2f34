#include "cli/child_environment.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "core/secret_memory.h"
#include "core/spelling.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::string_view kFileSuffix = "_FILE";

struct PassedField {
  const Field* field;
  std::string name;  // in the command's environment
};

Error Usage(std::string reason, std::string cure) {
  return Error(ErrorCode::kUsage, std::move(reason)).Cure(std::move(cure));
}

// XBD 8.1 of POSIX.1-2017: letters, digits and `_`, not beginning with a digit.
bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Finds fields by what a user wrote, and chooses which are passed under which name.
class Selection {
 public:
  Selection(const Snapshot& snapshot, const FieldSet& fields,
            const ChildEnvironmentOptions& options)
      : snapshot_(snapshot), fields_(fields), options_(options) {}

  Result<std::vector<PassedField>> Choose() {
    if (Status read = ReadOptions(); !read) return std::move(read).error();
    std::vector<PassedField> passed;
    std::map<std::string_view, std::string_view> users;  // field by its final name
    for (const Field& field : snapshot_.fields()) {
      if (!IsPassed(field.name)) continue;
      if (field.value.Reveal().find('\0') != std::string_view::npos) {
        return Error(ErrorCode::kBadData,
                     field.name + " has a zero byte, which no environment holds")
            .Cure("leave it out with --only, and let the command read it with `qsecrets get`");
      }
      passed.push_back({&field, FinalName(field.name)});
    }
    for (const PassedField& one : passed) {
      const auto [other, is_new] = users.emplace(one.name, one.field->name);
      if (!is_new) {
        return Usage(std::string(other->second) + " and " + one.field->name +
                         " would both be passed as " + one.name,
                     "choose another name with --rename");
      }
    }
    return passed;
  }

 private:
  Status ReadOptions() {
    if (!options_.prefix.empty() && !IsVariableName(options_.prefix)) {
      return Usage("--prefix: a variable's name cannot begin like this",
                   "use letters, digits and '_', not beginning with a digit");
    }
    for (const std::string& reference : options_.only) {
      Result<std::string> name = FindSet("--only", reference);
      if (!name) return std::move(name).error();
      only_.push_back(*name);
    }
    for (const auto& [reference, new_name] : options_.renames) {
      if (Status added = AddRename(reference, new_name); !added) return added;
    }
    return {};
  }

  Status AddRename(const std::string& reference, const std::string& new_name) {
    Result<std::string> name = FindSet("--rename", reference);
    if (!name) return std::move(name).error();
    if (!IsPassed(*name)) {
      return Usage("--rename: " + *name + " is not among the fields of --only",
                   "add it to --only, or drop the --rename");
    }
    if (!IsVariableName(new_name)) {
      return Usage("--rename: the new name of " + *name + " is not a variable's name",
                   "use letters, digits and '_', not beginning with a digit");
    }
    if (!renames_.emplace(*name, new_name).second) {
      return Usage("--rename: " + *name + " is renamed twice", "keep one of them");
    }
    return {};
  }

  // The canonical name of a field that is set.
  Result<std::string> FindSet(std::string_view option, const std::string& reference) const {
    Result<std::string> name = CanonicalFieldName(reference);
    if (!name) return std::move(name).error();
    if (snapshot_.Find(*name) != nullptr) return name;
    const std::string begin = std::string(option) + ": " + *name;
    if (fields_.Contains(*name)) {
      return Usage(begin + " is not set in the backend '" + snapshot_.backend() + "'",
                   "`qsecrets list` shows what is set");
    }
    const std::optional<std::string_view> nearest = core::Nearest(*name, fields_.names());
    return Usage(begin + " is not a managed field",
                 nearest ? "did you mean " + std::string(*nearest) + "?"
                         : "add it to SECRETS_FIELDS, or use --all");
  }

  bool IsPassed(std::string_view name) const {
    return only_.empty() || std::find(only_.begin(), only_.end(), name) != only_.end();
  }

  std::string FinalName(const std::string& name) const {
    const auto renamed = renames_.find(name);
    return renamed == renames_.end() ? options_.prefix + name : renamed->second;
  }

  const Snapshot& snapshot_;
  const FieldSet& fields_;
  const ChildEnvironmentOptions& options_;
  std::vector<std::string> only_;
  std::map<std::string, std::string, std::less<>> renames_;
};

std::string_view NameOf(const char* entry) {
  const std::string_view text(entry);
  return text.substr(0, text.find('='));
}

// Whether an inherited variable is or names the value of a field.
bool StandsForField(const Snapshot& snapshot, std::string_view name) {
  if (snapshot.Find(name) != nullptr) return true;
  if (!name.ends_with(kFileSuffix)) return false;
  name.remove_suffix(kFileSuffix.size());
  return snapshot.Find(name) != nullptr;
}

}  // namespace

Result<ChildEnvironment> ChildEnvironment::Build(const Snapshot& snapshot, const FieldSet& fields,
                                                 char* const* inherited,
                                                 const ChildEnvironmentOptions& options) {
  Result<std::vector<PassedField>> passed = Selection(snapshot, fields, options).Choose();
  if (!passed) return std::move(passed).error();
  const auto is_passed = [&](std::string_view name) {
    return std::any_of(passed->begin(), passed->end(),
                       [&](const PassedField& one) { return one.name == name; });
  };

  ChildEnvironment environment;
  for (; !options.pristine && *inherited != nullptr; ++inherited) {
    const std::string_view name = NameOf(*inherited);
    if (!StandsForField(snapshot, name) && !is_passed(name)) {
      environment.entries_.push_back(*inherited);
    }
  }

  std::size_t total = 0;
  const auto bytes_of = [](const PassedField& one) {
    return one.name.size() + 1 + one.field->value.size() + 1;
  };
  for (const PassedField& one : *passed) total += bytes_of(one);
  SecretBuffer buffer(total);
  for (const PassedField& one : *passed) {
    buffer.Append(one.name);
    buffer.Append('=');
    buffer.Append(one.field->value.Reveal());
    buffer.Append('\0');
    if (bytes_of(one) > environment.largest_bytes_) {
      environment.largest_bytes_ = bytes_of(one);
      environment.largest_field_ = one.field->name;
    }
  }
  environment.variables_ = std::move(buffer).Seal();

  // execve(2) does not write to what it is given.
  char* next = const_cast<char*>(environment.variables_.Reveal().data());
  for (const PassedField& one : *passed) {
    environment.entries_.push_back(next);
    next += bytes_of(one);
  }
  environment.entries_.push_back(nullptr);
  return environment;
}

void ChildEnvironment::Clear() {
  entries_.clear();
  variables_ = Secret();
}

void WipeInheritedValues(const Snapshot& snapshot, char* const* entries) {
  for (; *entries != nullptr; ++entries) {
    const std::string_view name = NameOf(*entries);
    if (snapshot.Find(name) == nullptr || (*entries)[name.size()] != '=') continue;
    char* value = *entries + name.size() + 1;
    core::Wipe(value, std::strlen(value));
  }
}

}  // namespace qarion::secrets::cli
