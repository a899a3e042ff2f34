#include "core/home_directory.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace qarion::secrets::core {
namespace {

using FindUser = std::function<int(struct passwd*, char*, std::size_t, struct passwd**)>;

std::optional<std::string> HomeOf(const FindUser& find_user) {
  std::vector<char> buffer(std::size_t{64} * 1024);
  struct passwd entry{};
  struct passwd* found = nullptr;
  if (find_user(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->pw_dir;
}

std::optional<std::string> HomeOfThisUser() {
  return HomeOf([](auto... into) { return getpwuid_r(getuid(), into...); });
}

}  // namespace

std::string ExpandHome(std::string path, std::optional<std::string_view> home_variable) {
  if (!path.starts_with('~')) return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  std::optional<std::string> home;
  if (end > 1) {
    const std::string user = path.substr(1, end - 1);
    home = HomeOf([&](auto... into) { return getpwnam_r(user.c_str(), into...); });
  } else {
    home = home_variable ? std::optional<std::string>(*home_variable) : HomeOfThisUser();
  }
  if (!home) return path;
  home->erase(home->find_last_not_of('/') + 1);
  *home += path.substr(end);
  return home->empty() ? "/" : *home;
}

std::string HomeDirectory(std::optional<std::string_view> home_variable) {
  const std::string home = ExpandHome("~", home_variable);
  return home == "~" ? "" : home;
}

}  // namespace qarion::secrets::core
