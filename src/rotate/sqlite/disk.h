// Room for what is written beside a database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace qarion::secrets::rotate::sqlite {

// Free bytes of the file system that `path` is on; nothing where that cannot be seen.
std::optional<std::uint64_t> FreeBytes(const std::string& path);

// "12.3 MB", rounded up.
std::string Megabytes(std::uint64_t bytes);

// Size of a file; 0 where there is none.
std::uint64_t FileBytes(const std::string& path);

}  // namespace qarion::secrets::rotate::sqlite
