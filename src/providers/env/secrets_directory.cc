#include "providers/env/secrets_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <optional>

namespace qarion::secrets::env {
namespace {

constexpr char kSetting[] = "SECRETS_DIR";
constexpr char kGenerationLink[] = "..data";
constexpr int kAttempts = 5;
constexpr std::size_t kMaxEntries = 10'000;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Error Unreadable(const std::string& path, int error) {
  const std::string shown = core::ShownPath(path);
  return Error(ErrorCode::kConfiguration, std::string(kSetting) + ": cannot read the directory '" +
                                              shown + "': " + std::strerror(error))
      .With("setting", kSetting)
      .With("directory", shown)
      .Cure(error == ENOTDIR ? "name a directory with one file per key"
                             : "correct the path, or let this user read the directory");
}

// Where `..data` points, or nothing in a plain directory.
std::optional<std::string> Generation(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink((path + "/" + kGenerationLink).c_str(), target, sizeof target);
  if (length < 0) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(length));
}

bool SameDirectory(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Result<std::vector<std::string>> ListNames(const std::string& path) {
  const Directory directory(opendir(path.c_str()));
  if (!directory) return Unreadable(path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] == '.') continue;
    if (names.size() == kMaxEntries) {
      return Error(ErrorCode::kConfiguration, std::string(kSetting) + ": '" + path +
                                                  "' has more than " + std::to_string(kMaxEntries) +
                                                  " entries")
          .With("setting", kSetting)
          .With("directory", path)
          .Cure("name the directory that holds the secrets alone");
    }
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return Unreadable(path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<DirectoryContents> ReadOnce(const std::string& path,
                                   const std::function<bool(const std::string&)>& wanted) {
  auto names = ListNames(path);
  if (!names) return std::move(names).error();
  DirectoryContents contents;
  for (std::string& name : *names) {
    const std::string file_path = path + "/" + name;
    struct stat status{};
    const bool present = stat(file_path.c_str(), &status) == 0;
    if (!wanted(name)) {
      if (present && S_ISREG(status.st_mode)) contents.not_wanted.push_back(std::move(name));
      continue;
    }
    if (present && !S_ISREG(status.st_mode)) {
      contents.not_files.push_back(std::move(name));
      continue;
    }
    auto file = core::ReadFile(file_path, kSetting);
    if (!file) return std::move(file).error();
    contents.entries.push_back({std::move(name), std::move(*file)});
  }
  return contents;
}

}  // namespace

Result<DirectoryContents> ReadSecretsDirectory(
    const std::string& path, const std::function<bool(const std::string& name)>& wanted) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    struct stat status{};
    struct stat after{};
    if (stat(path.c_str(), &status) != 0) return Unreadable(path, errno);
    if (!S_ISDIR(status.st_mode)) return Unreadable(path, ENOTDIR);
    const auto before = Generation(path);
    auto contents = ReadOnce(path, wanted);
    // A swap in the middle shows as a file that vanished or as a link that points elsewhere.
    if (Generation(path) != before) continue;
    if (stat(path.c_str(), &after) != 0 || !SameDirectory(status, after)) continue;
    if (!contents) return std::move(contents).error();
    contents->is_volume = before.has_value();
    contents->status = status;
    return contents;
  }
  return Error(ErrorCode::kTryAgain,
               std::string(kSetting) + ": '" + path + "' changes while it is read")
      .With("setting", kSetting)
      .With("directory", path)
      .Cure("see what rewrites the volume again and again");
}

}  // namespace qarion::secrets::env
