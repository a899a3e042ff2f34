// Files that hold Fernet keys, a key a line.
#pragma once

#include <string>
#include <vector>

#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::fernet {

// Reads one or several keys, in their order. Of each line exactly one line break (LF or CRLF) is
// taken off, the last may have none; any other white space, and empty lines, are refused: a program
// that takes the file for the key would be given them too. `/dev/fd/N` and pipes may be read.
// `what` begins the errors: "--key-file".
// kConfiguration: no such file, or one that may not be read; no key in it; a line that is no key
// (by its number, never its text); more than 64 KiB. kIo, kUnavailable: see core::ReadFile.
Result<std::vector<FernetKey>> ReadKeyFile(const std::string& path, const std::string& what);

// Writes the key's 44 characters, without a line break, into a new file that only this user may
// read, and returns when file and directory are on the disk. Nothing is overwritten, and where it
// fails there is no file. `what` as above.
// kIo: the file is there already, or cannot be written.
Status WriteNewKeyFile(const std::string& path, const FernetKey& key, const std::string& what);

}  // namespace qarion::secrets::fernet
