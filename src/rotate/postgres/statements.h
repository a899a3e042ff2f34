// The statements that read and write the rows of a table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rotate/postgres/catalogue.h"

namespace qarion::secrets::rotate::postgres {

// A query for: ctid, whether the plan's `where` holds (only where there is one), the columns.
std::string SelectRows(const Table& table);

// A query with the plan's `where` as its condition, which must be there. For parsing alone.
std::string SelectWhere(const Table& table);

// A query for ctid and one column of the rows in which the column holds one of `needles`.
std::string SelectMatches(const TextColumn& column, std::span<const std::string_view> needles);

// Updates the rows whose ctids are in $1 with an array of values for each column.
std::string UpdateRows(const Table& table);

// The query as a command that sends its rows in the binary format.
std::string CopyOut(const std::string& query);

}  // namespace qarion::secrets::rotate::postgres
