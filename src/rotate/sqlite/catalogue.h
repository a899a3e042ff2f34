// Tables and columns, looked up in the schema of the database.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/sqlite/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::sqlite {

// A table as the statements need it. Names are as the database spells them; in it, letters of ASCII
// are the same in both cases.
struct Table {
  Target target;
  // "rowid", or another of its names where a column has that one. Empty: WITHOUT ROWID, and
  // primary_key is what tells the rows apart.
  std::string rowid;
  std::vector<std::string> primary_key;
  bool is_descending = false;           // the primary key, of a table without rowid
  std::vector<std::string> naming_key;  // names rows in reports; empty: the rowid does
  std::vector<std::string> columns;     // those of the plan, in its order
  std::string where;

  std::string Title() const { return target.name; }
};

// Everything that `plan` names, in its order. The schema is "main" or not given: other files are
// not attached. kConfiguration: something is missing, is no ordinary table or column of one, or is
// named twice; a column is generated, cannot hold a token, or belongs to a foreign key on either
// side; a table's rows cannot be told apart.
Result<std::vector<Table>> FindTables(Connection& connection, const Plan& plan);

// A table of FindTextColumns that no plan names, and no column of it.
Result<Table> FindTable(Connection& connection, std::string_view name);

// Every column of every ordinary table that can hold text or bytes: in SQLite that is every column
// but those that stand for the rowid, those with numbers of STRICT tables and generated ones. What
// virtual tables keep in tables of their own is among them. Left out: views, virtual tables
// themselves, SQLite's tables.
Result<std::vector<TextColumn>> FindTextColumns(Connection& connection);

}  // namespace qarion::secrets::rotate::sqlite
