// The hosts of an address that names several.
#pragma once

#include <optional>
#include <string>

namespace qarion::secrets::rotate::postgres {

// As libpq has them: lists with commas in between, of which a port alone may hold for all.
struct HostList {
  std::string host;
  std::string hostaddr;
  std::string port;
};

// The hosts of `all` after the one that a connection is at, with a port for each; nothing where it
// is the last one.
std::optional<HostList> HostsAfter(const HostList& all, const HostList& current);

}  // namespace qarion::secrets::rotate::postgres
