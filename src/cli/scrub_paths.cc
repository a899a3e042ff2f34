#include "cli/scrub_paths.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "core/files.h"

namespace qarion::secrets::cli {
namespace {

namespace fs = std::filesystem;

Error CannotLook(const std::string& what, const fs::path& path, const std::error_code& error) {
  return Error(ErrorCode::kIo,
               "cannot " + what + " '" + core::ShownPath(path.string()) + "': " + error.message());
}

class Walk {
 public:
  explicit Walk(FilesToScrub& result) : result_(result) {}

  void Into(const fs::path& directory) {
    std::error_code error;
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) Take(*entry);
    if (error) {
      result_.errors.push_back(CannotLook("read the directory", directory, error)
                                   .Cure("run it as a user who may read it, or name others"));
    }
  }

  // Directories that are still to be looked into.
  std::vector<fs::path>& directories() noexcept { return directories_; }

 private:
  void Take(const fs::directory_entry& entry) {
    std::error_code error;
    const fs::file_status status = entry.symlink_status(error);
    if (error == std::errc::no_such_file_or_directory) return;  // removed meanwhile
    if (error) {
      // Whatever it is, it may hold values.
      result_.errors.push_back(
          CannotLook("look at", entry.path(), error)
              .Cure(error == std::errc::filename_too_long
                        ? "change to a directory near it, and name it from there"
                        : "run it as a user who may search its directory, or name others"));
      return;
    }
    if (fs::is_directory(status)) directories_.push_back(entry.path());
    if (!fs::is_regular_file(status)) return;
    const std::uintmax_t bytes = entry.file_size(error);
    result_.files.push_back(
        {.path = entry.path().string(), .was_found = true, .bytes = error ? 0 : bytes});
  }

  FilesToScrub& result_;
  std::vector<fs::path> directories_;
};

void AddTree(const std::string& root, FilesToScrub& result) {
  const auto first = static_cast<std::ptrdiff_t>(result.files.size());
  Walk walk(result);
  walk.Into(root);
  while (!walk.directories().empty()) {
    const fs::path directory = std::move(walk.directories().back());
    walk.directories().pop_back();
    walk.Into(directory);
  }
  std::sort(result.files.begin() + first, result.files.end(),
            [](const FileToScrub& a, const FileToScrub& b) { return a.path < b.path; });
}

}  // namespace

FilesToScrub FindFiles(std::span<const std::string> paths) {
  FilesToScrub result;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      AddTree(path, result);
    } else {
      const std::uintmax_t bytes =
          fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
      result.files.push_back({.path = path, .bytes = error ? 0 : bytes});
    }
  }
  return result;
}

}  // namespace qarion::secrets::cli
