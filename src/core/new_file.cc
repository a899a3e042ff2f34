#include "core/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/descriptor.h"
#include "core/descriptor_io.h"
#include "core/files.h"

namespace qarion::secrets::core {
namespace {

std::string CureOf(int error) {
  if (error == EEXIST) return "name a file that is not there yet: a key is not overwritten";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f)";
  return "name a file on a file system that takes it";
}

Error CannotWrite(const std::string& path, const std::string& what, int error) {
  return Error(ErrorCode::kIo,
               what + ": cannot write '" + ShownPath(path) + "': " + std::strerror(error))
      .With("file", ShownPath(path))
      .Cure(CureOf(error));
}

// So that the file's name is there too after a loss of power.
bool SyncDirectory(const std::string& directory) {
  const Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

// Whatever the umask, the rights are the same.
bool WriteText(int file, std::string_view text, const std::string& directory) {
  constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
  return fchmod(file, kOwnerOnly) == 0 && WriteAll(file, text) == 0 && fsync(file) == 0 &&
         SyncDirectory(directory);
}

}  // namespace

Error IsAKey(const std::string& what) {
  return Error(ErrorCode::kConfiguration, what + " is a key where the path of a file is expected")
      .Cure(
          "write the key into a file that nobody else may read, and name the path of that; others "
          "can see what a command is started with");
}

Status WriteNewKeyFile(const std::string& path, const Secret& key, const std::string& what) {
  // All that needs memory comes before the file is there: where it runs out, the process may end.
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return CannotWrite(path, what, errno);
  if (WriteText(file.get(), key.Reveal(), directory)) return {};
  const int error = errno;
  unlink(path.c_str());
  return CannotWrite(path, what, error);
}

}  // namespace qarion::secrets::core
