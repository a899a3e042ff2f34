// Why no connection could be made, without any part of a password.
#pragma once

#include <chrono>
#include <string>

#include "qarion/secrets/result.h"

struct pg_conn;

namespace qarion::secrets::rotate::postgres {

// kConfiguration: not an address of PostgreSQL's that libpq can read. Nothing of it is shown: where
// it is malformed, any part of it may belong to a password.
Status CheckAddress(const std::string& address);

struct Circumstances {
  bool is_timeout = false;
  std::chrono::seconds timeout{};
  bool is_password_ours = false;  // StoreAddress::password was used
  bool has_password = false;      // the address, PGPASSWORD or a service file has one
};

// `connection` is the attempt that failed; null where there was no memory for one.
Error ConnectError(const pg_conn* connection, const Circumstances& circumstances);

}  // namespace qarion::secrets::rotate::postgres
