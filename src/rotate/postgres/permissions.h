// What the role that is connected may do, and sees.
#pragma once

#include <span>

#include "qarion/secrets/result.h"
#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/connection.h"
#include "rotate/postgres/transaction.h"

namespace qarion::secrets::rotate::postgres {

// kNotPermitted: it may not read the tables, or write them; for writing, the partitioned tables
// above them too, which are locked. The cure is the GRANT that is missing.
Status CheckPermissions(Connection& connection, const Resolved& resolved, Access access);

// kNotPermitted: row-level security would hide rows from it.
Status CheckRowSecurity(Connection& connection, std::span<const Table> tables);

}  // namespace qarion::secrets::rotate::postgres
