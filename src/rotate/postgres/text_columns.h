// Columns in which tokens may be, whether a plan names them or not.
#pragma once

#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

// Columns of every table, partition and materialized view that keeps rows of its own: of text, JSON
// and bytes, and of types that are searched by their text: arrays and rows of such, XML, hstore.
// Those of the last kind cannot be in a plan.
Result<std::vector<TextColumn>> FindTextColumns(Connection& connection);

}  // namespace qarion::secrets::rotate::postgres
