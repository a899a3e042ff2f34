// How a row is named in reports.
#pragma once

#include <cstdint>
#include <string>

#include "qarion/secrets/result.h"
#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/keyed_rows.h"

namespace qarion::secrets::rotate::sqlite {

// "id=17", "tenant='a', n=3", by the key of the plan or else the primary key, never by a column
// that the plan encrypts; else, and where the row is gone, "rowid=17". Long texts are cut. `index`
// knows the rows of a table WITHOUT ROWID.
Result<std::string> NameOfRow(Connection& connection, const Table& table, const KeyIndex* index,
                              std::uint64_t locator);

}  // namespace qarion::secrets::rotate::sqlite
