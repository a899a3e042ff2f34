#include "providers/env/env_provider.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/environment.h"
#include "core/files.h"
#include "core/rfc3339.h"
#include "core/spelling.h"
#include "providers/env/secrets_directory.h"

namespace qarion::secrets::env {
namespace {

constexpr std::string_view kFileSuffix = "_FILE";
constexpr char kNameCure[] =
    "name it with letters, digits, '_', '-' and '.', beginning with a letter or '_'";

// The latest modification among files.
struct NewestFile {
  timespec newest{};
  bool any = false;
  void Add(const struct stat& status) {
    const timespec& time = status.st_mtim;
    const bool newer = time.tv_sec > newest.tv_sec ||
                       (time.tv_sec == newest.tv_sec && time.tv_nsec > newest.tv_nsec);
    if (!any || newer) newest = time;
    any = true;
  }
};

// When the newest of the files was changed, in UTC; "process" where no file was read.
std::string Version(const NewestFile& files) {
  if (!files.any) return "process";
  std::string version =
      core::FormatTime(std::chrono::sys_seconds(std::chrono::seconds(files.newest.tv_sec)));
  version.pop_back();  // the zone, which stands behind the fraction
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%09ldZ", files.newest.tv_nsec);
  return version + fraction.data();
}

// Who beside the owner can do what: "read by every user", "read and written by its group"; empty
// where nobody can.
std::string Exposure(mode_t mode) {
  const auto who = [mode](mode_t others, mode_t group) -> std::string {
    if ((mode & others) != 0) return "every user";
    return (mode & group) != 0 ? "its group" : "";
  };
  const std::string readers = who(S_IROTH, S_IRGRP);
  const std::string writers = who(S_IWOTH, S_IWGRP);
  if (readers.empty() && writers.empty()) return {};
  if (writers.empty()) return "read by " + readers;
  if (readers.empty()) return "written by " + writers;
  if (readers == writers) return "read and written by " + readers;
  return "read by " + readers + " and written by " + writers;
}

// One fetch: gathers fields and findings from the four places.
class Collection {
 public:
  Collection(const core::Settings& settings, const FieldSet& wanted)
      : environment_(settings.environment()), env_file_(*settings.env_file()), wanted_(wanted) {}

  Result<Payload> Run(const std::string& directory) && {
    if (Status loaded = env_file_.Load(environment_); !loaded) return std::move(loaded).error();
    if (env_file_.exists()) NoteEnvFile();
    if (!directory.empty()) {
      if (Status read = ReadDirectory(directory); !read) return std::move(read).error();
    }
    for (const std::string& name : CandidateNames()) {
      if (Status added = AddField(name); !added) return std::move(added).error();
    }
    payload_.version = Version(files_);
    return std::move(payload_);
  }

 private:
  void Warn(std::string subject, std::string problem, std::string cure) {
    payload_.findings.push_back(
        {Severity::kWarning, std::move(subject), std::move(problem), std::move(cure)});
  }

  void NotePermissions(const std::string& path, const struct stat& status) {
    const std::string exposure = Exposure(status.st_mode);
    if (!S_ISREG(status.st_mode) || exposure.empty()) return;
    Warn(path, "can be " + exposure, "chmod 600 '" + path + "'");
  }

  void NoteEnvFile() {
    files_.Add(*env_file_.status());
    NotePermissions(env_file_.path(), *env_file_.status());
    const core::ResolvedDotenv& contents = env_file_.contents();
    payload_.findings.insert(payload_.findings.end(), contents.findings.begin(),
                             contents.findings.end());
    for (const core::DotenvVariable& variable : contents.variables) {
      NoteVariable(variable);
      if (variable.value) in_env_file_.emplace(variable.key, &variable);
    }
  }

  void NoteVariable(const core::DotenvVariable& variable) {
    const std::string place = env_file_.path() + ":" + std::to_string(variable.line);
    const std::string_view key = variable.key;
    if (key == "SECRETS_ENV_FILE") {
      Warn(place, "SECRETS_ENV_FILE has no effect inside the file it would name",
           "set it in the process environment");
    } else if (wanted_.Contains(key) && !variable.value) {
      Warn(place, variable.key + " stands without `=`, which leaves it unset",
           "write " + variable.key + "=value, or remove the line");
    } else if (key.ends_with(kFileSuffix) && IsNamed(BaseName(key))) {
      Warn(place, variable.key + " is read from the process environment only",
           "set it there, or put " + std::string(BaseName(key)) + " itself into the file");
    } else if (wanted_.Contains(key) || core::IsGeneralSetting(key)) {
      // A field that is read, or a setting.
    } else if (wanted_.includes_everything()) {
      // Not shown: it may be a line of a value that should have been quoted.
      Warn(place, "the name in this line is not a possible field name, so it is no field",
           std::string(kNameCure) + "; put a value over several lines into quotes");
    } else if (const auto near = core::Nearest(key, wanted_.names());
               near && IsMisspelt(key, *near)) {
      Warn(place,
           "there is no field " + variable.key + "; did you mean " + std::string(*near) + "?",
           "correct the name, or add it to SECRETS_FIELDS");
    }
  }

  // Managed by its own name or as a member of a family, not because everything is.
  bool IsNamed(std::string_view name) const {
    return std::ranges::find(wanted_.names(), name) != wanted_.names().end() || InFamily(name);
  }

  // One letter off, or in other case.
  static bool IsMisspelt(std::string_view key, std::string_view name) {
    if (core::EditDistance(key, name) == 1) return true;
    return std::ranges::equal(key, name, [](char a, char b) {
      return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    });
  }

  static std::string_view BaseName(std::string_view file_variable) {
    return file_variable.substr(0, file_variable.size() - kFileSuffix.size());
  }

  Status ReadDirectory(const std::string& path) {
    auto contents = ReadSecretsDirectory(
        path, [this](const std::string& name) { return wanted_.Contains(name); });
    if (!contents) return std::move(contents).error();
    files_.Add(contents->status);
    for (const std::string& name : contents->not_files) {
      Warn(path + "/" + name, "is not a regular file and was not read",
           "put the value into a file");
    }
    if (wanted_.includes_everything() && !contents->not_wanted.empty()) {
      Warn(path,
           std::to_string(contents->not_wanted.size()) +
               " of its files have names that no field can have and were not read",
           kNameCure);
    }
    for (DirectoryEntry& entry : contents->entries) {
      const std::string file_path = path + "/" + entry.name;
      files_.Add(entry.file.status);
      // A volume belongs to its pod; the kubelet sets 0644 by default. Elsewhere a directory is
      // often shared with a group on purpose.
      const bool open_to_all = (entry.file.status.st_mode & (S_IROTH | S_IWOTH)) != 0;
      if (!contents->is_volume && open_to_all) NotePermissions(file_path, entry.file.status);
      from_directory_.emplace(entry.name,
                              Field{entry.name, FileValue(entry.file, file_path), file_path});
    }
    return {};
  }

  // The contents without one newline at the end.
  Secret FileValue(const core::FileContents& file, const std::string& path) {
    std::string_view bytes = file.bytes.Reveal();
    if (bytes.find('\0') != std::string_view::npos) {
      Warn(path, "contains a zero byte, so the value cannot be put into an environment",
           "store it as text, for example in base64");
    }
    if (!bytes.ends_with('\n')) return file.bytes.Share();
    bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
    Warn(path, "ends with a newline, which is not part of the value",
         "write the file without it: printf %s");
    return Secret::CopyOf(bytes);
  }

  // Every name that some place could have a value for.
  std::set<std::string> CandidateNames() const {
    std::set<std::string> names(wanted_.names().begin(), wanted_.names().end());
    if (!wanted_.families().empty()) {
      for (const std::string& name : environment_.Names()) {
        std::string_view field = name;
        if (field.ends_with(kFileSuffix)) field = BaseName(field);
        if (InFamily(field)) names.emplace(field);
      }
    }
    for (const core::DotenvVariable& variable : env_file_.contents().variables) {
      if (wanted_.Contains(variable.key)) names.insert(variable.key);
    }
    for (const auto& [name, field] : from_directory_) names.insert(name);
    return names;
  }

  bool InFamily(std::string_view name) const {
    return std::ranges::any_of(wanted_.families(), [name](const std::string& family) {
      return name.size() > family.size() && name.starts_with(family);
    });
  }

  Status AddField(const std::string& name) {
    const auto variable = environment_.Find(name);
    const auto file_variable = environment_.Find(name + std::string(kFileSuffix));
    const bool names_file = file_variable && !file_variable->empty();
    if (variable && !variable->empty() && names_file) {
      return Error(ErrorCode::kConfiguration,
                   "both " + name + " and " + name + "_FILE are set in the process environment")
          .With("field", name)
          .Cure("unset one of them");
    }
    if (names_file) return AddFile(name, std::string(*file_variable));
    if (variable) {
      Add({name, Secret::CopyOf(*variable), "process environment"});
      return {};
    }
    if (const auto found = in_env_file_.find(name); found != in_env_file_.end()) {
      const core::DotenvVariable& line = *found->second;
      Add({name, line.value->Share(), env_file_.path() + ":" + std::to_string(line.line)});
      return {};
    }
    if (auto entry = from_directory_.extract(name)) Add(std::move(entry.mapped()));
    return {};
  }

  Status AddFile(const std::string& name, const std::string& path) {
    auto file = core::ReadFile(path, name + std::string(kFileSuffix));
    if (!file) return std::move(file).error();
    files_.Add(file->status);
    NotePermissions(path, file->status);
    Add({name, FileValue(*file, path), path + " (from " + name + "_FILE)"});
    return {};
  }

  void Add(Field field) { payload_.fields.push_back(std::move(field)); }

  const core::Environment& environment_;
  core::EnvFile& env_file_;
  const FieldSet& wanted_;
  std::map<std::string_view, const core::DotenvVariable*> in_env_file_;
  std::map<std::string, Field> from_directory_;
  NewestFile files_;
  Payload payload_;
};

class EnvProvider final : public SecretProvider {
 public:
  EnvProvider(const core::Settings& settings, std::string directory)
      : settings_(settings), directory_(std::move(directory)) {}

  Result<Payload> Fetch(const FetchRequest& request) override {
    return Collection(settings_, request.fields).Run(directory_);
  }

  std::string Source() const override {
    std::string source = "process environment";
    if (settings_.env_file()->exists()) source += ", " + settings_.env_file()->path();
    if (!directory_.empty()) source += ", " + directory_;
    return source;
  }

 private:
  const core::Settings& settings_;
  const std::string directory_;
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> CreateEnvProvider(const core::ProviderContext& context) {
  auto directory = context.settings.Text("SECRETS_DIR", "");
  if (!directory) return std::move(directory).error();
  return std::make_unique<EnvProvider>(context.settings, std::move(*directory));
}

}  // namespace qarion::secrets::env
