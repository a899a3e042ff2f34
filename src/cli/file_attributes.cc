#include "cli/file_attributes.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

namespace qarion::secrets::cli {
namespace {

constexpr mode_t kModeBits = 07777;

bool MayBeLost(std::string_view name) {
  return name.starts_with("security.") || name.starts_with("trusted.");
}

int CopyAttribute(int from, int to, const char* name) {
  const ssize_t size = fgetxattr(from, name, nullptr, 0);
  if (size < 0) return errno;
  std::vector<char> value(static_cast<std::size_t>(size));
  const ssize_t got = fgetxattr(from, name, value.data(), value.size());
  if (got < 0) return errno;
  return fsetxattr(to, name, value.data(), static_cast<std::size_t>(got), 0) == 0 ? 0 : errno;
}

// Access control lists are among them.
int CopyExtended(int from, int to) {
  const ssize_t size = flistxattr(from, nullptr, 0);
  if (size <= 0) return size == 0 || errno == ENOTSUP ? 0 : errno;
  std::vector<char> names(static_cast<std::size_t>(size));
  const ssize_t got = flistxattr(from, names.data(), names.size());
  if (got < 0) return errno;
  std::string_view rest(names.data(), static_cast<std::size_t>(got));
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    const int error = CopyAttribute(from, to, name.data());
    if (error != 0 && !MayBeLost(name)) return error;
    rest.remove_prefix(name.size() + 1);
  }
  return 0;
}

}  // namespace

int CopyAttributes(int from, const struct stat& status, int to) {
  struct stat present{};
  if (fstat(to, &present) != 0) return errno;
  const bool has_owner = present.st_uid == status.st_uid && present.st_gid == status.st_gid;
  if (!has_owner && fchown(to, status.st_uid, status.st_gid) != 0) return errno;
  // After the owner, for a change of that takes bits away.
  if (fchmod(to, status.st_mode & kModeBits) != 0) return errno;
  if (const int error = CopyExtended(from, to); error != 0) return error;
  const std::array<timespec, 2> times = {status.st_atim, {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  return futimens(to, times.data()) == 0 ? 0 : errno;
}

}  // namespace qarion::secrets::cli
