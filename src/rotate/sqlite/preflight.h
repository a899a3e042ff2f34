// What an operator should know before a rotation begins.
#pragma once

#include <span>
#include <vector>

#include "qarion/secrets/finding.h"
#include "qarion/secrets/result.h"
#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"

namespace qarion::secrets::rotate::sqlite {

// kNotPermitted: the file or its directory, which a journal needs, may not be written.
Status CheckMayWrite(const Connection& connection);

// Outside of a transaction. What cannot be looked at is left out. The only errors among them: a
// trigger cannot run; there is not room enough on its disk.
std::vector<Finding> ExamineDatabase(Connection& connection, std::span<const Table> tables);

}  // namespace qarion::secrets::rotate::sqlite
