#include "rotate/sqlite/disk.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

namespace qarion::secrets::rotate::sqlite {

std::optional<std::uint64_t> FreeBytes(const std::string& path) {
  struct statvfs disk{};
  if (statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::string Megabytes(std::uint64_t bytes) {
  constexpr std::uint64_t kTenth = 100 * 1000;
  const std::uint64_t tenths = bytes / kTenth + (bytes % kTenth == 0 ? 0 : 1);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MB";
}

std::uint64_t FileBytes(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace qarion::secrets::rotate::sqlite
