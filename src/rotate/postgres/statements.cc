#include "rotate/postgres/statements.h"

#include "rotate/postgres/names.h"

namespace qarion::secrets::rotate::postgres {
namespace {

std::string From(std::string_view schema, std::string_view name) {
  return " FROM ONLY " + QuotedName(schema, name);
}

// The new value, as the column's assignment takes it. Texts are not cast to the column's own type:
// an assignment refuses what is too long, where a cast would cut it off.
std::string NewValue(const Column& column, const std::string& value) {
  switch (column.kind) {
    case ColumnKind::kJson: return value + "::json";
    case ColumnKind::kJsonb: return value + "::jsonb";
    default: return value;
  }
}

std::string OldValue(const Column& column) {
  const std::string value = "t." + QuotedName(column.name);
  return column.kind == ColumnKind::kText ? value + "::text" : value;
}

}  // namespace

std::string SelectRows(const Table& table) {
  std::string query = "SELECT ctid";
  // On lines of its own: it may end in a remark.
  if (!table.where.empty()) query += ", (\n" + table.where + "\n) IS TRUE";
  for (const Column& column : table.columns) {
    query += ", " + QuotedName(column.name);
    if (column.kind != ColumnKind::kBytes) query += "::text";
  }
  return query + From(table.target.schema, table.target.name);
}

std::string SelectWhere(const Table& table) {
  return "SELECT" + From(table.target.schema, table.target.name) + " WHERE\n" + table.where;
}

std::string SelectMatches(const TextColumn& column, std::span<const std::string_view> needles) {
  const bool is_bytes = column.shape == Shape::kBytes;
  const std::string value = QuotedName(column.name) + (is_bytes ? "::bytea" : "::text");
  std::string conditions;
  for (const std::string_view needle : needles) {
    if (!conditions.empty()) conditions += " OR ";
    const std::string text = QuotedText(needle) + "::text";
    conditions += is_bytes ? "pg_catalog.position(" + value + ", pg_catalog.convert_to(" + text +
                                 ", 'UTF8'::name)) > 0"
                           : "pg_catalog.strpos(" + value + " COLLATE \"C\", " + text + ") > 0";
  }
  return "SELECT ctid, " + value + From(column.schema, column.table) + " WHERE " + conditions;
}

// The arrays are taken apart row by row: as functions in FROM they would be copied into a table
// first. With ANY the rows are looked up at once, not by one look at the table for each.
std::string UpdateRows(const Table& table) {
  const bool is_several = table.columns.size() > 1;
  std::string set;
  std::string lists = "pg_catalog.unnest($1::tid[])";
  std::string names = "l";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    const std::string name = "c" + std::to_string(i);
    const std::string value = NewValue(column, "v." + name);
    if (i > 0) set += ", ";
    set += QuotedName(column.name) + " = ";
    set += is_several ? "COALESCE(" + value + ", " + OldValue(column) + ")" : value;
    lists += ", pg_catalog.unnest($" + std::to_string(i + 2) +
             (column.kind == ColumnKind::kBytes ? "::bytea[])" : "::text[])");
    names += ", " + name;
  }
  return "UPDATE ONLY " + QuotedName(table.target.schema, table.target.name) + " AS t SET " + set +
         " FROM (SELECT " + lists + ") AS v(" + names +
         ") WHERE t.ctid = v.l AND t.ctid = ANY ($1)";
}

std::string CopyOut(const std::string& query) {
  return "COPY (" + query + ") TO STDOUT (FORMAT binary)";
}

}  // namespace qarion::secrets::rotate::postgres
