// Writing a key into a file of its own.
#pragma once

#include <string>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

// Writes `key`, without a line break, into a new file that only this user may read, and returns
// when file and directory are on the disk. Nothing is overwritten, and where it fails there is no
// file. `what` begins the errors: "--out".
// kIo: the file is there already, or cannot be written.
Status WriteNewKeyFile(const std::string& path, const Secret& key, const std::string& what);

// What to say where a key was given in the place of a file.
Error IsAKey(const std::string& what);

}  // namespace qarion::secrets::core
