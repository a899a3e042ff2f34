// The hosts of an address that names several.
#pragma once

#include <optional>
#include <string>

struct pg_conn;

namespace qarion::secrets::rotate::postgres {

// As libpq has them: lists with commas in between, of which a port alone may hold for all.
struct HostList {
  std::string host;
  std::string hostaddr;
  std::string port;
};

// The hosts after the one that the connection is at; nothing where it is the last one.
std::optional<HostList> HostsAfter(pg_conn* connection);

}  // namespace qarion::secrets::rotate::postgres
