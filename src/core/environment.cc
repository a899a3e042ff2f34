#include "core/environment.h"

#include <unistd.h>

#include <cstring>
#include <set>

namespace qarion::secrets::core {

std::optional<std::string_view> ProcessEnvironment::Find(std::string_view name) const {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, name.data(), name.size()) == 0 && (*entry)[name.size()] == '=') {
      return std::string_view(*entry + name.size() + 1);
    }
  }
  return std::nullopt;
}

std::vector<std::string> ProcessEnvironment::Names() const {
  std::set<std::string, std::less<>> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const char* equals = std::strchr(*entry, '=');
    if (equals != nullptr && equals != *entry) {
      names.emplace(*entry, static_cast<std::size_t>(equals - *entry));
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace qarion::secrets::core
