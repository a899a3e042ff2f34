// Reading files that hold secrets.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

// Largest file any part of the library reads whole.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1024} * 1024;

struct FileContents {
  Secret bytes;
  struct stat status{};  // of the file that was read, by its descriptor
};

// What else than a regular file may be read.
enum class PipesAllowed { kNo, kYes };

// A path for messages. Where neither it nor the directory that it would be in is there, it may be a
// secret that stands where its file should: JSON or PEM, on one line too, a token, a key in base64,
// or longer than a name in a directory can be. Such a text is not shown. Looks at the file system.
std::string ShownPath(const std::string& path);

// Status of what ReadFile() reads under that path; none where there is nothing, or it may not be
// looked at.
std::optional<struct stat> FileStatus(const std::string& path);

// Reads a whole file into secret memory. `/dev/stdin` and `/dev/fd/N` name this process's own
// descriptors. `what` names the setting or use for messages: "SECRETS_ENV_FILE".
// kConfiguration: does not exist, is a directory or another kind of file, may not be read.
// kUnavailable: this process or machine has no descriptor or memory left.
// `too_large`: is larger than `limit`. kIo: a read fails.
Result<FileContents> ReadFile(const std::string& path, const std::string& what,
                              PipesAllowed pipes = PipesAllowed::kNo,
                              std::size_t limit = kMaxFileBytes,
                              ErrorCode too_large = ErrorCode::kBadData);

}  // namespace qarion::secrets::core
