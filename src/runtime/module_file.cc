#include "runtime/module_file.h"

#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace qarion::secrets::runtime {
namespace {

constexpr char kDirectoryOverride[] = "QARION_SECRETS_MODULE_DIR";
constexpr std::string_view kPrefix = "qarion_secrets_";
constexpr std::string_view kSuffix = ".so";
constexpr std::size_t kLongestName = 32;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

struct FreeDeleter {
  void operator()(char* text) const noexcept { std::free(text); }
};

// `path` without symbolic links, or nothing with errno set.
std::optional<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, FreeDeleter> resolved(realpath(path.c_str(), nullptr));
  if (!resolved) return std::nullopt;
  return std::string(resolved.get());
}

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::string ModuleName(std::string_view backend) {
  return std::string(kPrefix) + std::string(backend) + std::string(kSuffix);
}

Error Refused(const std::string& path, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, path + " " + problem)
      .With("file", path)
      .Cure(std::move(cure));
}

Status CheckNobodyElseCanChange(const std::string& path, const struct stat& status) {
  if ((status.st_mode & S_IWOTH) != 0) {
    return Refused(path, "can be changed by every user, so no code is loaded from it",
                   "find out whether it was changed, then take the right away: chmod o-w " + path);
  }
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return Refused(path,
                   "belongs to the user " + std::to_string(status.st_uid) +
                       ", who is neither root nor the user of this process, so no code is loaded "
                       "from it",
                   "find out whether it was changed, then give it to root: chown root " + path);
  }
  return {};
}

Status CheckDirectory(const std::string& path, const std::string& what) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return Refused(path, std::string("cannot be searched for modules: ") + std::strerror(errno),
                   "install " + what + " there");
  }
  if (!S_ISDIR(status.st_mode)) {
    return Refused(path, "is not a directory", "install " + what + " in a directory");
  }
  return CheckNobodyElseCanChange(path, status);
}

Status CheckFile(const std::string& path, const std::string& what) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return Refused(path, std::string("cannot be examined: ") + std::strerror(errno),
                   "make it readable");
  }
  if (!S_ISREG(status.st_mode)) {
    return Refused(path, "is not a regular file", "install " + what + " there");
  }
  return CheckNobodyElseCanChange(path, status);
}

// Set before there are threads.
bool is_program_among_modules = false;

// The path of the object this code is in; empty for the program itself.
std::optional<std::string> LibraryPath() {
  Dl_info info{};
  void* extra = nullptr;
  if (dladdr1(reinterpret_cast<const void*>(&ModuleDirectory), &info, &extra, RTLD_DL_LINKMAP) ==
          0 ||
      extra == nullptr) {
    return std::nullopt;
  }
  return std::string(static_cast<const link_map*>(extra)->l_name);
}

}  // namespace

bool IsBackendName(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kLongestName && IsLower(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

Result<std::string> ModuleDirectory() {
  if (const char* chosen = secure_getenv(kDirectoryOverride)) {
    if (chosen[0] == '/') return std::string(chosen);
    return Error(ErrorCode::kConfiguration,
                 std::string(kDirectoryOverride) + " is not an absolute path")
        .With("setting", kDirectoryOverride)
        .Cure("begin it with '/', or unset it: modules are found without it");
  }
  const Error unknown =
      Error(ErrorCode::kInternal, "the system does not tell where this library is")
          .Cure(std::string("mount /proc, or set ") + kDirectoryOverride);
  const auto library = LibraryPath();
  if (!library) return unknown;
  if (library->empty()) {
    const auto program = RealPath("/proc/self/exe");
    if (!program) return unknown;
    if (is_program_among_modules) return DirectoryOf(*program);
    return DirectoryOf(*program) + "/" QARION_MODULE_DIRECTORY_FROM_BIN;
  }
  const auto resolved = RealPath(*library);
  if (!resolved) return unknown;
  return DirectoryOf(*resolved) + "/qarion-secrets";
}

void FindModulesBesideProgram() noexcept { is_program_among_modules = true; }

std::vector<std::string> BackendsIn(const std::string& directory) {
  std::vector<std::string> backends;
  struct Closer {
    void operator()(DIR* stream) const noexcept { closedir(stream); }
  };
  const std::unique_ptr<DIR, Closer> stream(opendir(directory.c_str()));
  if (!stream) return backends;
  while (const dirent* entry = readdir(stream.get())) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(std::min(kSuffix.size(), name.size()));
    if (IsBackendName(name)) backends.emplace_back(name);
  }
  std::sort(backends.begin(), backends.end());
  return backends;
}

std::string ModulePath(const std::string& directory, std::string_view backend) {
  return directory + "/" + ModuleName(backend);
}

Result<std::string> FindTrustedFile(const std::string& directory, const std::string& name,
                                    const std::string& what) {
  if (Status checked = CheckDirectory(directory, what); !checked) {
    return std::move(checked).error();
  }
  const std::string path = directory + "/" + name;
  const auto resolved = RealPath(path);
  if (!resolved) {
    return Refused(path, std::string("cannot be opened: ") + std::strerror(errno),
                   "install " + what + " there");
  }
  // A link may lead out of the directory.
  if (Status checked = CheckDirectory(DirectoryOf(*resolved), what); !checked) {
    return std::move(checked).error();
  }
  if (Status checked = CheckFile(*resolved, what); !checked) return std::move(checked).error();
  return *resolved;
}

Result<std::string> FindTrustedModule(const std::string& directory, std::string_view backend) {
  return FindTrustedFile(directory, ModuleName(backend),
                         "the module of the backend '" + std::string(backend) + "'");
}

}  // namespace qarion::secrets::runtime
