// The table in which each rotation leaves a row.
#pragma once

#include <optional>
#include <string_view>

#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/sqlite/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::sqlite {

// Whether a row can be left there. kConfiguration: the plan's schema is not "main"; what has the
// table's name is another table.
Status CheckAuditTable(Connection& connection, const Plan& plan);

// Makes the table where it is absent.
Status InsertAudit(Connection& connection, const Plan& plan, const AuditRecord& record);

// The record with this id, or the latest where it is empty.
Result<std::optional<AuditRecord>> SelectAudit(Connection& connection, const Plan& plan,
                                               std::string_view id);

}  // namespace qarion::secrets::rotate::sqlite
