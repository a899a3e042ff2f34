#include "cli/new_neighbour.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

namespace qarion::secrets::cli {

NewNeighbour::NewNeighbour(int directory, const std::string& other) : directory_(directory) {
  constexpr int kTries = 100;
  for (int number = 0; number < kTries; ++number) {
    const std::string suffix =
        ".qsecrets-scrub-" + std::to_string(getpid()) + "-" + std::to_string(number);
    name_ = other.substr(0, NAME_MAX - suffix.size()) + suffix;
    file_.Reset(openat(directory_, name_.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    error_ = file_ ? 0 : errno;
    if (error_ != EEXIST) return;
  }
}

NewNeighbour::~NewNeighbour() {
  if (file_ && !name_.empty()) unlinkat(directory_, name_.c_str(), 0);
}

bool NewNeighbour::Replace(const std::string& other) {
  if (renameat(directory_, name_.c_str(), directory_, other.c_str()) != 0) return false;
  name_.clear();
  // Where that fails, a loss of power may bring the old file back, but none in between.
  const UniqueFd readable(openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (readable) fsync(readable.get());
  return true;
}

}  // namespace qarion::secrets::cli
