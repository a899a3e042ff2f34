// Ends a transaction, and finds out how it ended.
#pragma once

#include <optional>
#include <string>

#include "rotate/postgres/audit.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

// The row by which a transaction is known afterwards.
struct AuditMark {
  AuditTable table;
  std::string id;
};

// Commits what is open on `connection`. Where the connection is lost meanwhile, the database is
// asked over a new one, for about five seconds at most, by the audit row and by the transaction's
// number. With a mark only the row means that it was committed.
CommitResult CommitTransaction(Connection& connection, const std::optional<AuditMark>& mark);

}  // namespace qarion::secrets::rotate::postgres
