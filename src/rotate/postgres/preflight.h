// What an operator should know before a rotation begins.
#pragma once

#include <vector>

#include "qarion/secrets/finding.h"
#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/connection.h"

namespace qarion::secrets::rotate::postgres {

// Outside of a transaction. What this role may not look at is left out. The only error among them:
// the server is a standby.
std::vector<Finding> ExamineDatabase(Connection& connection, const Resolved& found);

}  // namespace qarion::secrets::rotate::postgres
