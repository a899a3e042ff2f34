#include "rotate/postgres/catalogue.h"

#include <map>
#include <set>
#include <utility>

#include "rotate/postgres/names.h"
#include "rotate/postgres/permissions.h"
#include "rotate/postgres/statements.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kLookup[] = "the tables of the plan cannot be looked up";

// A table and all that inherits from it, with partitions of partitions.
constexpr char kTree[] = R"sql(
WITH RECURSIVE tree(oid) AS (
  SELECT $1::oid
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid)
SELECT c.oid, n.nspname, c.relname, c.relkind,
  CASE WHEN c.reltuples > '0' AND c.relpages > 0
    THEN (c.reltuples::float8 / c.relpages::float8 * s.bytes::float8
      / pg_catalog.current_setting('block_size')::float8)::int8
    ELSE s.bytes / 200 END,
  CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_total_relation_size(c.oid) ELSE 0 END
FROM tree JOIN pg_catalog.pg_class c USING (oid)
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
  LATERAL (SELECT CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END)
    AS s(bytes)
ORDER BY n.nspname, c.relname)sql";

// $1: the type's oid. Through domains to the type that is stored.
constexpr char kColumn[] = R"sql(
WITH RECURSIVE base AS (
  SELECT t.* FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1::oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT t.* FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype
    WHERE base.typtype = 'd')
SELECT pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated,
  CASE WHEN base.oid = '114' THEN 'j' WHEN base.oid = '3802' THEN 'J' WHEN base.oid = '17' THEN 'b'
    WHEN base.typcategory = 'S' AND base.typtype = 'b' AND base.oid <> '19' THEN 't'
    ELSE '?' END,
  EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_partitioned_table p
      ON p.partrelid = i.inhparent
      JOIN pg_catalog.pg_attribute k ON k.attrelid = p.partrelid AND k.attnum = ANY (p.partattrs)
    WHERE i.inhrelid = $1::oid AND k.attname = $2)
FROM base, pg_catalog.pg_attribute a
WHERE base.typtype <> 'd' AND a.attrelid = $1::oid AND a.attname = $2)sql";

// Those with names that differ in case, or in another schema.
constexpr char kSimilar[] = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.lower(c.relname::text) = pg_catalog.lower($1::text) AND c.relkind IN ('r', 'p')
ORDER BY c.relname::text <> $1::text, n.nspname LIMIT 1)sql";

Error Wrong(const std::string& title, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, title + " " + problem)
      .With("table", title)
      .Cure(std::move(cure));
}

std::string TitleOf(const TablePlan& plan) { return Title(plan.schema, plan.name); }

std::string_view KindName(std::string_view relkind) {
  static const std::map<std::string_view, std::string_view> kNames = {
      {"v", "a view"},          {"m", "a materialized view"},
      {"f", "a foreign table"}, {"S", "a sequence"},
      {"i", "an index"},        {"c", "a composite type"}};
  const auto found = kNames.find(relkind);
  return found == kNames.end() ? "no table" : found->second;
}

Error Missing(Connection& connection, const TablePlan& plan) {
  auto similar = connection.Query(kSimilar, {plan.name}, kLookup);
  if (!similar) return std::move(similar).error();
  return Wrong(
      TitleOf(plan), "is not in the database",
      similar->size() == 0
          ? "name a table that exists, with its schema; see whether it is the right database"
          : "did you mean " + Title(similar->Get(0, 0), similar->Get(0, 1)) + "?");
}

ColumnKind KindOf(std::string_view letter) {
  if (letter == "t") return ColumnKind::kText;
  if (letter == "j") return ColumnKind::kJson;
  if (letter == "J") return ColumnKind::kJsonb;
  return letter == "b" ? ColumnKind::kBytes : ColumnKind::kOther;
}

Status CheckShape(const std::string& title, const Column& column, Shape shape) {
  const std::string of = title + ", column " + column.name + ",";
  const std::string is = "is of the type " + column.type;
  switch (column.kind) {
    case ColumnKind::kBytes:
      if (shape == Shape::kBytes) return {};
      return Wrong(of, is, "give it the shape \"bytea\" in the plan");
    case ColumnKind::kJson:
    case ColumnKind::kJsonb:
      if (shape == Shape::kJson) return {};
      return Wrong(of, is, "give it the shape \"json\" and the paths of its tokens in the plan");
    case ColumnKind::kText:
      if (shape != Shape::kBytes) return {};
      return Wrong(of, is, "give it the shape \"text\" in the plan");
    case ColumnKind::kOther: break;
  }
  return Wrong(of, is + ", which cannot hold a token",
               "name a column of text, varchar, char, json, jsonb or bytea");
}

Result<Column> FindColumn(Connection& connection, const Target& target, const ColumnPlan& plan) {
  const std::string title = target.Title();
  auto rows = connection.Query(kColumn, {std::to_string(target.id), plan.name}, kLookup);
  if (!rows) return std::move(rows).error();
  if (rows->size() == 0) {
    return Wrong(title, "has no column " + plan.name,
                 "name its columns as they are written in the database, capitals included");
  }
  Column column{.name = plan.name, .type = rows->Text(0, 0), .kind = KindOf(rows->Get(0, 2))};
  const std::string of = title + ", column " + plan.name + ",";
  if (!rows->Get(0, 1).empty()) {
    return Wrong(of, "is generated from others, so that it cannot be written",
                 "name the columns that it is generated from, or leave it out");
  }
  if (rows->IsTrue(0, 3)) {
    return Wrong(of, "decides in which partition a row is",
                 "leave it out: a new value could be one of another partition");
  }
  if (Status checked = CheckShape(title, column, plan.shape); !checked) {
    return std::move(checked).error();
  }
  return column;
}

Status CheckKey(Connection& connection, const Target& target, const std::vector<std::string>& key) {
  for (const std::string& name : key) {
    auto rows = connection.Query(kColumn, {std::to_string(target.id), name}, kLookup);
    if (!rows) return std::move(rows).error();
    if (rows->size() == 0) {
      return Wrong(target.Title(), "has no column " + name + ", which the plan names as its key",
                   "name columns of the table, or none: then the primary key is used");
    }
  }
  return {};
}

Result<std::string> FindOid(Connection& connection, const TablePlan& plan) {
  auto rows = connection.Query("SELECT pg_catalog.to_regclass($1)::oid",
                               {QuotedName(plan.schema, plan.name)}, kLookup);
  if (!rows) return std::move(rows).error();
  if (!rows->IsNull(0, 0)) return rows->Text(0, 0);
  return Missing(connection, plan);
}

// Whatever else may be wrong with the plan's words is said before anything is locked.
Status CheckReading(Connection& connection, const Table& table) {
  const std::string title = table.target.Title();
  if (table.where.empty()) return connection.Parse(SelectRows(table), title + " cannot be read");
  const std::string what = title + " cannot be read with the `where` that the plan has for it";
  if (Status parsed = connection.Parse(SelectRows(table), what); !parsed) return parsed;
  // As the condition of a query it is a single expression, about one row.
  return connection.Parse(SelectWhere(table), what);
}

// One relation of the tree below a table of the plan.
Status AddRelation(Connection& connection, const Rows& tree, std::size_t row, std::size_t table,
                   const TablePlan& plan, Resolved& resolved) {
  Target target{.table = table,
                .schema = tree.Text(row, 1),
                .name = tree.Text(row, 2),
                .id = tree.Number(row, 0),
                .estimated_rows = tree.Number(row, 4),
                .bytes = tree.Number(row, 5)};
  const std::string_view kind = tree.Get(row, 3);
  if (kind == "p") {
    resolved.roots.push_back(std::move(target));
    return {};
  }
  if (kind != "r") {
    return Wrong(target.Title(), "is " + std::string(KindName(kind)),
                 "name the table in which the values are");
  }
  Table found{.target = std::move(target), .key = plan.key, .where = plan.where};
  if (Status checked = CheckKey(connection, found.target, plan.key); !checked) return checked;
  for (const ColumnPlan& column : plan.columns) {
    auto resolved_column = FindColumn(connection, found.target, column);
    if (!resolved_column) return std::move(resolved_column).error();
    found.columns.push_back(std::move(*resolved_column));
  }
  resolved.tables.push_back(std::move(found));
  return {};
}

}  // namespace

Result<Resolved> FindTables(Connection& connection, const Plan& plan) {
  Resolved resolved;
  std::set<std::uint64_t> seen;
  for (std::size_t i = 0; i < plan.tables.size(); ++i) {
    const auto oid = FindOid(connection, plan.tables[i]);
    if (!oid) return oid.error();
    auto tree = connection.Query(kTree, {*oid}, kLookup);
    if (!tree) return std::move(tree).error();
    for (std::size_t row = 0; row < tree->size(); ++row) {
      if (!seen.insert(tree->Number(row, 0)).second) {
        return Wrong(Title(tree->Get(row, 1), tree->Get(row, 2)),
                     "belongs to two tables of the plan, or stands there twice",
                     "name a partitioned or inherited table or its parts, not both");
      }
      if (Status added = AddRelation(connection, *tree, row, i, plan.tables[i], resolved); !added) {
        return std::move(added).error();
      }
    }
  }
  Status checked = CheckRowSecurity(connection, resolved.tables);
  for (const Table& table : resolved.tables) {
    if (checked) checked = CheckReading(connection, table);
  }
  if (!checked) return std::move(checked).error();
  return resolved;
}

Result<Table> FindTable(Connection& connection, const std::string& schema,
                        const std::string& name) {
  const TablePlan plan{.schema = schema, .name = name};
  const auto oid = FindOid(connection, plan);
  if (!oid) return oid.error();
  Table table;
  table.target = {.schema = schema, .name = name, .id = std::stoull(*oid)};
  return table;
}

}  // namespace qarion::secrets::rotate::postgres
