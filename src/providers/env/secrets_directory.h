// A directory with one file per key, such as a Kubernetes Secret volume.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::env {

struct DirectoryEntry {
  std::string name;
  core::FileContents file;
};

struct DirectoryContents {
  std::vector<DirectoryEntry> entries;
  std::vector<std::string> not_files;   // names that were wanted but are no regular files
  std::vector<std::string> not_wanted;  // regular files under other names
  bool is_volume = false;               // has the `..data` link of a Kubernetes volume
  struct stat status{};                 // of the directory
};

// Reads the files whose names are `wanted`, all from one generation: a Kubernetes volume is updated
// by turning its `..data` link to a new directory, and when that happens meanwhile, it is read
// again; so it is when `path` itself comes to mean another directory. kConfiguration: not a
// directory, may not be read. kTryAgain: it changed each time. Names beginning with a dot are not
// keys.
Result<DirectoryContents> ReadSecretsDirectory(
    const std::string& path, const std::function<bool(const std::string& name)>& wanted);

}  // namespace qarion::secrets::env
