// Makes connections, by the address of a rotation and by libpq's own sources: variables, service
// and password files, TLS.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "qarion/secrets/result.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

// kConfiguration: the address or a setting is wrong, the database is not there, TLS cannot be
// verified. kNotPermitted: the server refuses the login. kUnavailable: it cannot be reached.
Result<std::unique_ptr<Connection>> Connect(const StoreAddress& address);

enum class SameServer {
  kYes,  // the very host that `model` is connected to
  kNo,   // any that its address names
};

// A further connection with the settings of `model`, which may be lost. `most`: where each host is
// to answer sooner than they say.
Result<std::unique_ptr<Connection>> ConnectLike(
    const Connection& model, SameServer same_server,
    std::optional<std::chrono::seconds> most = std::nullopt);

// "PostgreSQL 15.18, database app at /run/postgresql"; no password.
std::string Describe(const Connection& connection);

}  // namespace qarion::secrets::rotate::postgres
