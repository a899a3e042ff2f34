#include "rotate/sqlite/address.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/ascii.h"
#include "rotate/sqlite/errors.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

constexpr std::string_view kScheme = "sqlite:";

Error Wrong(const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, "the address of the database " + problem)
      .Cure(std::move(cure));
}

}  // namespace

Result<std::string> PathOf(std::string_view address) {
  if (!address.starts_with(kScheme)) {
    return Wrong("does not begin with sqlite:", "write sqlite:/path/to/app.db");
  }
  std::string_view path = address.substr(kScheme.size());
  if (path.starts_with("//")) {
    if (!path.starts_with("///")) {
      return Wrong("has a host in it, or too few slashes",
                   "write sqlite:////srv/app.db for /srv/app.db, sqlite:///app.db for a relative "
                   "path, or sqlite: and the path itself");
    }
    path.remove_prefix(3);
    if (path.find('?') != path.npos) {
      return Wrong("has options after ?, which are not read", "leave them out");
    }
  }
  if (path.empty() || path == ":memory:") {
    return Wrong("names no file", "write sqlite:/path/to/app.db");
  }
  if (path.find('\0') != path.npos) return Wrong("has a NUL in it", "write it without");
  return std::string(path);
}

Status CheckFile(const std::string& path) {
  const std::string what = "the database " + OneLine(path);
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == EACCES) {
      return Error(ErrorCode::kNotPermitted, what + " may not be looked at")
          .Cure("let the user of this process into its directory");
    }
    // In a URL, an absolute path has one more slash than many write.
    struct stat absolute{};
    const bool is_meant_absolute =
        !path.starts_with('/') && stat(("/" + path).c_str(), &absolute) == 0;
    return Error(ErrorCode::kConfiguration, what + " does not exist; none is made")
        .Cure(is_meant_absolute
                  ? "did you mean /" + OneLine(path) + "? Write sqlite:////" + OneLine(path)
                  : "give the path of a database that exists");
  }
  if (!S_ISREG(status.st_mode)) {
    return Error(ErrorCode::kConfiguration, what + " is no file")
        .Cure("give the path of a database");
  }
  if (status.st_size == 0) {
    return Error(ErrorCode::kConfiguration, what + " is empty")
        .Cure("give the path of the database that the service uses");
  }
  return {};
}

}  // namespace qarion::secrets::rotate::sqlite
