// Stores that are files in a directory of their own.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <utility>

#include "named_backend.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::conformance {

class FileBackend : public NamedBackend {
 public:
  void Remove() override { std::filesystem::remove_all(path()); }

 protected:
  // What SECRETS_ENV_FILE or its like names: a file, or for some stores a directory.
  std::string path() const { return directory_.Path("secret"); }

  // Replaces the file by another one, as a careful operator does.
  void Write(const std::string& text) {
    const std::string fresh = directory_.Write("secret.new", text);
    Stamp(fresh);
    std::filesystem::rename(fresh, path());
  }

  // Makes it a second younger than the last: the kernel's stamps have a resolution of milliseconds
  // only.
  void Stamp(const std::string& changed) {
    const struct timespec stamp{.tv_sec = ++changed_at_seconds_, .tv_nsec = 0};
    const struct timespec stamps[] = {stamp, stamp};
    utimensat(AT_FDCWD, changed.c_str(), stamps, 0);
  }

 private:
  test::TemporaryDirectory directory_;
  time_t changed_at_seconds_ = 1'767'225'600;  // 2026
};

}  // namespace qarion::secrets::conformance
