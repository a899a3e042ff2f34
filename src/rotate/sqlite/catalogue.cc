#include "rotate/sqlite/catalogue.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/spelling.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

constexpr char kWhat[] = "the tables of the database cannot be looked up";
constexpr char kMain[] = "main";

// Rows and their cells take at least so much of a file, so that there are no more of them.
constexpr std::int64_t kLeastRowBytes = 32;

struct Column {
  std::string name;
  std::string type;
  int primary_key_place = 0;  // from 1; 0: not in it
  bool is_generated = false;
};

// What the schema says of a table.
struct Description {
  std::string name;
  std::string kind;  // "table", "view", "virtual", "shadow"
  bool has_rowid = true;
  bool is_strict = false;
  std::vector<Column> columns;

  const Column* Find(std::string_view wanted) const {
    const auto found = std::ranges::find_if(columns, [wanted](const Column& column) {
      return core::EqualsIgnoringCase(column.name, wanted);
    });
    return found == columns.end() ? nullptr : &*found;
  }
  bool IsInternal() const { return core::EqualsIgnoringCase(name.substr(0, 7), "sqlite_"); }
  bool IsShadow() const { return kind == "shadow"; }
};

// One column that refers to another. Where that is in a table that is not there, and its name is
// not given, `parent` is empty.
struct Reference {
  std::string child_table;
  std::string child;
  std::string parent_table;
  std::string parent;
};

Result<std::vector<Description>> FindDescriptions(Connection& connection) {
  auto rows = Statement::Prepare(connection,
                                 "SELECT name, type, wr, strict FROM pragma_table_list "
                                 "WHERE schema = 'main' ORDER BY name",
                                 kWhat);
  if (!rows) return std::move(rows).error();
  std::vector<Description> found;
  while (true) {
    const auto is_row = rows->Step();
    if (!is_row) return is_row.error();
    if (!*is_row) return found;
    found.push_back({.name = rows->Text(0),
                     .kind = rows->Text(1),
                     .has_rowid = rows->Number(2) == 0,
                     .is_strict = rows->Number(3) != 0,
                     .columns = {}});
  }
}

Status AddColumns(Connection& connection, Description& table) {
  auto rows = Statement::Prepare(
      connection, "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
      kWhat);
  if (!rows) return std::move(rows).error();
  rows->BindText(1, table.name);
  while (true) {
    const auto is_row = rows->Step();
    if (!is_row) return is_row.error();
    if (!*is_row) return {};
    table.columns.push_back({.name = rows->Text(0),
                             .type = rows->Text(1),
                             .primary_key_place = static_cast<int>(rows->Number(2)),
                             .is_generated = rows->Number(3) != 0});
  }
}

// Of all tables. Without columns a foreign key refers to the primary key.
Result<std::vector<Reference>> FindReferences(Connection& connection) {
  auto rows = Statement::Prepare(
      connection,
      "SELECT c.name, f.\"from\", f.\"table\", coalesce(f.\"to\", (SELECT p.name FROM "
      "main.sqlite_schema s, pragma_table_xinfo(s.name, 'main') p WHERE s.type = 'table' AND "
      "s.rootpage > 0 AND s.name = f.\"table\" COLLATE NOCASE AND p.pk = f.seq + 1)) "
      "FROM main.sqlite_schema c, pragma_foreign_key_list(c.name, 'main') f WHERE c.type = 'table' "
      "ORDER BY c.name, f.id DESC, f.seq",
      kWhat);
  if (!rows) return std::move(rows).error();
  std::vector<Reference> found;
  while (true) {
    const auto is_row = rows->Step();
    if (!is_row) return is_row.error();
    if (!*is_row) return found;
    found.push_back({.child_table = rows->Text(0),
                     .child = rows->Text(1),
                     .parent_table = rows->Text(2),
                     .parent = rows->Text(3)});
  }
}

// What a column has to do with foreign keys: "refers to t.c by a foreign key"; empty: nothing.
std::string ReferenceOf(const std::vector<Reference>& references, const std::string& table,
                        const std::string& column) {
  using core::EqualsIgnoringCase;
  for (const Reference& of : references) {
    if (EqualsIgnoringCase(of.child_table, table) && EqualsIgnoringCase(of.child, column)) {
      return "refers to " + of.parent_table + (of.parent.empty() ? "" : "." + of.parent) +
             " by a foreign key";
    }
    if (EqualsIgnoringCase(of.parent_table, table) && EqualsIgnoringCase(of.parent, column)) {
      return "is what " + of.child_table + "." + of.child + " refers to by a foreign key";
    }
  }
  return {};
}

// INTEGER PRIMARY KEY is another name of the rowid; of other types, and where the key has several
// columns, it is not.
bool StandsForRowid(const Description& table, const Column& column) {
  return table.has_rowid && column.primary_key_place == 1 &&
         core::EqualsIgnoringCase(column.type, "INTEGER") &&
         std::ranges::none_of(table.columns,
                              [](const Column& other) { return other.primary_key_place > 1; });
}

// STRICT tables keep numbers apart from text.
bool HoldsNumbersAlone(const Description& table, const Column& column) {
  return table.is_strict && (core::EqualsIgnoringCase(column.type, "INTEGER") ||
                             core::EqualsIgnoringCase(column.type, "INT") ||
                             core::EqualsIgnoringCase(column.type, "REAL"));
}

Error Missing(const std::vector<Description>& all, const std::string& name) {
  std::vector<std::string> names;
  for (const Description& table : all) {
    if (table.kind == "table" && !table.IsInternal()) names.push_back(table.name);
  }
  const auto nearest = core::Nearest(name, names);
  return WrongTable(name, "is not in the database",
                    nearest ? "did you mean " + std::string(*nearest) + "?"
                            : "name a table that exists; see whether it is the right database");
}

// The table with this name, of whatever kind, without its columns.
Result<Description> FindDescription(Connection& connection, const std::string& name) {
  auto all = FindDescriptions(connection);
  if (!all) return std::move(all).error();
  const auto found = std::ranges::find_if(*all, [&name](const Description& table) {
    return core::EqualsIgnoringCase(table.name, name);
  });
  if (found == all->end()) return Missing(*all, name);
  return std::move(*found);
}

// Of what a plan names.
Status CheckIsOrdinary(const Description& table, const std::string& name) {
  if (table.kind == "table" && !table.IsInternal()) return {};
  const std::string kind = table.kind == "table"  ? "a table of SQLite's own"
                           : table.IsShadow()     ? "what a virtual table keeps its rows in"
                           : table.kind == "view" ? "a view"
                                                  : "a virtual table";
  return WrongTable(name, "is " + kind, "name the table in which the values are");
}

// How its rows are told apart.
Status FindRowid(const Description& description, Table& table) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (description.Find(name) != nullptr) continue;
    table.rowid = name;
    return {};
  }
  return WrongTable(table.Title(), "has columns named rowid, _rowid_ and oid",
                    "rename one of them: the rows have no other name");
}

// The primary key's index decides the order of the rows. One that compares otherwise than the
// columns themselves, or goes up and down, cannot be followed page by page.
Status CheckKeyOrder(Connection& connection, Table& table) {
  auto rows = Statement::Prepare(
      connection,
      "SELECT x.name, x.desc, x.coll FROM pragma_index_list(?1, 'main') i, "
      "pragma_index_xinfo(i.name, 'main') x WHERE i.origin = 'pk' AND x.key = 1 ORDER BY x.seqno",
      kWhat);
  if (!rows) return std::move(rows).error();
  rows->BindText(1, table.target.name);
  for (std::size_t i = 0;; ++i) {
    const auto is_row = rows->Step();
    if (!is_row) return is_row.error();
    if (!*is_row) return {};
    const std::string name = rows->Text(0);
    const bool is_descending = rows->Number(1) != 0;
    const char* collation = nullptr;
    const int code =
        sqlite3_table_column_metadata(connection.get(), kMain, table.target.name.c_str(),
                                      name.c_str(), nullptr, &collation, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return SqliteError(connection.get(), code, kWhat);
    if (i == 0) table.is_descending = is_descending;
    if (table.is_descending != is_descending ||
        !core::EqualsIgnoringCase(rows->Bytes(2), collation == nullptr ? "BINARY" : collation)) {
      return WrongTable(table.Title(),
                        "is WITHOUT ROWID, and its primary key has both ascending and descending "
                        "columns, or another collation than they have",
                        "give it a primary key that compares as its columns do");
    }
  }
}

Result<Table> TableOf(Connection& connection, const Description& description) {
  Table table;
  table.target.schema = kMain;
  table.target.name = description.name;
  std::vector<std::pair<int, std::string>> key;
  for (const Column& column : description.columns) {
    if (column.primary_key_place > 0) key.emplace_back(column.primary_key_place, column.name);
  }
  std::ranges::sort(key);
  for (auto& [place, name] : key) table.primary_key.push_back(std::move(name));
  table.naming_key = table.primary_key;
  Status told_apart =
      description.has_rowid ? FindRowid(description, table) : CheckKeyOrder(connection, table);
  if (!told_apart) return std::move(told_apart).error();
  return table;
}

// What can be said without looking at every row.
Status Estimate(Connection& connection, Table& table) {
  const auto pages = connection.Number("PRAGMA main.page_count", kWhat);
  const auto page_size = connection.Number("PRAGMA main.page_size", kWhat);
  if (!pages) return pages.error();
  if (!page_size) return page_size.error();
  const std::int64_t bytes = *pages * *page_size;
  std::int64_t rows = bytes / 200;
  if (!table.rowid.empty()) {
    const std::string name = QuotedTable(table.target.name);
    // Deleted rows are counted too. The difference may be larger than a number can be.
    const auto span =
        connection.Number("SELECT min(1e18, 1.0 + (SELECT max(" + table.rowid + ") FROM " + name +
                              ") - (SELECT min(" + table.rowid + ") FROM " + name + "))",
                          table.Title() + " cannot be read");
    if (!span) return span.error();
    rows = std::min(*span, bytes / kLeastRowBytes);
  }
  table.target.bytes = static_cast<std::uint64_t>(bytes);
  table.target.estimated_rows = static_cast<std::uint64_t>(rows);
  return {};
}

Status AddColumn(const Description& description, const std::vector<Reference>& references,
                 const ColumnPlan& plan, Table& table) {
  const std::string of = table.Title() + ", column " + plan.name + ",";
  const Column* column = description.Find(plan.name);
  if (column == nullptr) {
    std::vector<std::string> names;
    for (const Column& other : description.columns) names.push_back(other.name);
    const auto nearest = core::Nearest(plan.name, names);
    return WrongTable(table.Title(), "has no column " + plan.name,
                      nearest ? "did you mean " + std::string(*nearest) + "?"
                              : "name its columns as they are written in the database");
  }
  if (column->is_generated) {
    return WrongTable(of, "is generated from others, so that it cannot be written",
                      "name the columns that it is generated from, or leave it out");
  }
  if (StandsForRowid(description, *column) || HoldsNumbersAlone(description, *column)) {
    return WrongTable(of, "holds numbers alone", "name a column that holds text or bytes");
  }
  if (!description.has_rowid && column->primary_key_place > 0) {
    return WrongTable(of, "is in the primary key, which decides where a row is",
                      "leave it out: rows of a table WITHOUT ROWID cannot move while it is read");
  }
  const std::string reference = ReferenceOf(references, description.name, column->name);
  if (!reference.empty()) {
    return WrongTable(of, reference + ", and no encrypted value is equal to another",
                      "leave it out of the plan, or let the foreign key refer to another column");
  }
  if (std::ranges::find(table.columns, column->name) != table.columns.end()) {
    return WrongTable(of, "stands in the plan twice", "leave one of them out");
  }
  table.columns.push_back(column->name);
  return {};
}

Status AddKey(const Description& description, const std::vector<std::string>& key, Table& table) {
  if (key.empty()) return {};
  table.naming_key.clear();
  for (const std::string& name : key) {
    const Column* column = description.Find(name);
    if (column == nullptr) {
      return WrongTable(table.Title(),
                        "has no column " + name + ", which the plan names as its key",
                        "name columns of the table, or none: then the primary key is used");
    }
    table.naming_key.push_back(column->name);
  }
  return {};
}

// A condition must be one expression, and look only.
Status CheckWhere(Connection& connection, const Table& table) {
  if (table.where.empty()) return {};
  const std::string from = " FROM " + QuotedTable(table.target.name);
  // What ends one of the two too early is wrong in the other. After WHERE there are no aggregates.
  for (const std::string& sql :
       {"SELECT (\n" + table.where + "\n)" + from,
        "SELECT 1" + from + " WHERE CASE WHEN\n" + table.where + "\nTHEN 1 END"}) {
    // A name in double quotes that is no column would be a text otherwise.
    sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    const auto statement =
        Statement::Prepare(connection, sql, table.Title() + ", its `where` in the plan");
    sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_DQS_DML, 1, nullptr);
    if (!statement) return statement.error();
    if (statement->columns() != 1 || !statement->IsReadOnly() || statement->HasParameters()) {
      return WrongTable(table.Title(), "has a `where` in the plan that is no condition",
                        "write one expression, as after WHERE in SQL");
    }
  }
  return {};
}

Result<Table> FindPlanned(Connection& connection, const std::vector<Reference>& references,
                          const TablePlan& plan) {
  if (!plan.schema.empty() && !core::EqualsIgnoringCase(plan.schema, kMain)) {
    return WrongTable(plan.Title(), "is in another schema than main",
                      "name a table of the file itself, without a schema");
  }
  auto description = FindDescription(connection, plan.name);
  if (!description) return std::move(description).error();
  Status done = CheckIsOrdinary(*description, plan.name);
  if (done) done = AddColumns(connection, *description);
  if (!done) return std::move(done).error();
  auto table = TableOf(connection, *description);
  if (!table) return table;
  for (const ColumnPlan& column : plan.columns) {
    if (Status added = AddColumn(*description, references, column, *table); !added) {
      return std::move(added).error();
    }
  }
  table->where = plan.where;
  done = AddKey(*description, plan.key, *table);
  // No value of an encrypted column is ever shown.
  const bool is_encrypted = std::ranges::any_of(table->naming_key, [&](const std::string& name) {
    return std::ranges::find(table->columns, name) != table->columns.end();
  });
  if (is_encrypted) table->naming_key.clear();
  if (done) done = CheckWhere(connection, *table);
  if (done) done = Estimate(connection, *table);
  if (!done) return std::move(done).error();
  return table;
}

}  // namespace

Result<std::vector<Table>> FindTables(Connection& connection, const Plan& plan) {
  const auto references = FindReferences(connection);
  if (!references) return references.error();
  std::vector<Table> tables;
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    auto table = FindPlanned(connection, *references, plan.tables[i]);
    if (!table) return std::move(table).error();
    for (const Table& other : tables) {
      if (other.target.name != table->target.name) continue;
      return WrongTable(table->Title(), "stands in the plan twice",
                        "write all its columns below one [[table]]");
    }
    table->target.table = i;
    table->target.id = i + 1;
    tables.push_back(std::move(*table));
  }
  return tables;
}

Result<Table> FindTable(Connection& connection, std::string_view name) {
  auto description = FindDescription(connection, std::string(name));
  if (!description) return std::move(description).error();
  if (Status added = AddColumns(connection, *description); !added) return std::move(added).error();
  return TableOf(connection, *description);
}

Result<std::vector<TextColumn>> FindTextColumns(Connection& connection) {
  auto all = FindDescriptions(connection);
  if (!all) return std::move(all).error();
  const auto references = FindReferences(connection);
  if (!references) return references.error();
  std::vector<TextColumn> found;
  for (Description& table : *all) {
    if ((table.kind != "table" && !table.IsShadow()) || table.IsInternal()) continue;
    if (Status added = AddColumns(connection, table); !added) return std::move(added).error();
    for (const Column& column : table.columns) {
      if (column.is_generated || StandsForRowid(table, column) ||
          HoldsNumbersAlone(table, column)) {
        continue;
      }
      std::string type = column.type;
      std::ranges::transform(type, type.begin(), core::AsciiLower);
      const Shape shape = type.find("blob") != type.npos   ? Shape::kBytes
                          : type.find("json") != type.npos ? Shape::kJson
                                                           : Shape::kText;
      const std::string obstacle = table.IsShadow()
                                       ? "is what a virtual table keeps its rows in"
                                       : ReferenceOf(*references, table.name, column.name);
      found.push_back({.schema = kMain,
                       .table = table.name,
                       .name = column.name,
                       .type = column.type,
                       .shape = shape,
                       .obstacle = obstacle});
    }
  }
  return found;
}

}  // namespace qarion::secrets::rotate::sqlite
