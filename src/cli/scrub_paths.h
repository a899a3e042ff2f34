// Which files `qsecrets scrub` looks into.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "qarion/secrets/error.h"

namespace qarion::secrets::cli {

struct FileToScrub {
  std::string path;
  bool was_found = false;   // in a directory, so it is not followed where it is a link
  std::uint64_t bytes = 0;  // that it had then
};

struct FilesToScrub {
  std::vector<FileToScrub> files;
  std::vector<Error> errors;  // directories and files that cannot be looked at
};

// The paths in their order, and in the place of a directory the regular files in it and in those
// below it, in the order of their names. Symbolic links, pipes, sockets and devices that are found
// there are left out.
FilesToScrub FindFiles(std::span<const std::string> paths);

}  // namespace qarion::secrets::cli
