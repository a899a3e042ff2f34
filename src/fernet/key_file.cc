#include "fernet/key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "core/descriptor.h"
#include "core/fernet_key_text.h"
#include "core/files.h"

namespace qarion::secrets::fernet {
namespace {

// More than anybody has keys.
constexpr std::size_t kMostBytes = std::size_t{64} * 1024;

Error HoldsNoKey(const std::string& path, const std::string& what) {
  return Error(ErrorCode::kConfiguration, what + ": '" + path + "' is empty")
      .With("file", path)
      .Cure(core::kRestoreFernetKey);
}

Error IsAKey(const std::string& what) {
  return Error(ErrorCode::kConfiguration, what + " is a key where the path of a file is expected")
      .Cure(
          "write the key into a file that nobody else may read, and name the path of that; others "
          "can see what a command is started with");
}

std::string CureOf(int error) {
  if (error == EEXIST) return "name a file that is not there yet: a key is not overwritten";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f)";
  return "name a file on a file system that takes it";
}

Error CannotWrite(const std::string& path, const std::string& what, int error) {
  return Error(ErrorCode::kIo,
               what + ": cannot write '" + core::ShownPath(path) + "': " + std::strerror(error))
      .With("file", core::ShownPath(path))
      .Cure(CureOf(error));
}

// Takes the first line off `text`, without its line break.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// So that the file's name is there too after a loss of power.
bool SyncDirectory(const std::string& directory) {
  const core::Descriptor opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

// Whatever the umask, the rights are the same.
bool WriteText(int file, std::string_view text, const std::string& directory) {
  constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
  return fchmod(file, kOwnerOnly) == 0 && WriteAll(file, text) && fsync(file) == 0 &&
         SyncDirectory(directory);
}

}  // namespace

Result<std::vector<FernetKey>> ReadKeyFile(const std::string& path, const std::string& what) {
  if (core::FernetKeyProblem(path).empty()) return IsAKey(what);
  const auto file =
      core::ReadFile(path, what, core::PipesAllowed::kYes, kMostBytes, ErrorCode::kConfiguration);
  if (!file) return file.error();
  std::string_view text = file->bytes.Reveal();
  if (text.empty()) return HoldsNoKey(path, what);
  std::vector<FernetKey> keys;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const bool is_only = keys.empty() && text.empty();
    auto key = FernetKey::Parse(
        line, what + ": " + (is_only ? "" : "line " + std::to_string(keys.size() + 1) + " of ") +
                  "'" + path + "'");
    if (!key) return std::move(key).error();
    keys.push_back(*std::move(key));
  }
  return keys;
}

Status WriteNewKeyFile(const std::string& path, const FernetKey& key, const std::string& what) {
  if (core::FernetKeyProblem(path).empty()) return IsAKey(what);
  // All that needs memory comes before the file is there: where it runs out, the process may end.
  const Secret text = key.Encode();
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const core::Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return CannotWrite(path, what, errno);
  if (WriteText(file.get(), text.Reveal(), directory)) return {};
  const int error = errno;
  unlink(path.c_str());
  return CannotWrite(path, what, error);
}

}  // namespace qarion::secrets::fernet
