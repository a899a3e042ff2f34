// The keys that `qsecrets fernet` works with.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::cli {

struct NamedKey {
  std::string name;  // where it is from: "INSTANCE_ENCRYPTION_KEY", "new.key", "old.keys line 2"
  FernetKey key;
};

// Adds `--key-file FILE`, which may be repeated.
void AddKeyFileOption(CLI::App& app, std::vector<std::string>& files);

// Reads the keys of the files, one file after the other; without files, the backend's: the current
// one, then the previous one where it is set. There is at least one.
// kNotSet: the backend has no current key. kConfiguration: one cannot be a key. Else the errors of
// reading files, or of the backend.
Result<std::vector<NamedKey>> ReadKeys(const std::vector<std::string>& files);

// Of all of them, in their order. kUsage: one is there twice.
Result<Fernet> MakeFernet(const std::vector<NamedKey>& keys);

// Larger than any token that can be made, with room for line breaks within.
inline constexpr std::size_t kMostFernetTokenBytes = std::size_t{3} << 29;

}  // namespace qarion::secrets::cli
