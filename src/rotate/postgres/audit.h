// The table in which each rotation leaves a row.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

struct AuditTable {
  std::string schema;
  std::string name;
  bool is_there = false;
};

// kConfiguration: the schema is not there.
Result<AuditTable> FindAuditTable(Connection& connection, const Plan& plan);

// Whether a row could be left there. kNotPermitted: not without more rights; the error has the SQL.
// kConfiguration: what has this name is something else.
Status CheckAuditTable(Connection& connection, const AuditTable& table);

// Makes the table where it is absent.
Status InsertAudit(Connection& connection, const AuditTable& table, const AuditRecord& record);

// The record with this id, or the latest where it is empty.
Result<std::optional<AuditRecord>> SelectAudit(Connection& connection, const AuditTable& table,
                                               std::string_view id);

}  // namespace qarion::secrets::rotate::postgres
