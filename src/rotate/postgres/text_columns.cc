#include "rotate/postgres/text_columns.h"

namespace qarion::secrets::rotate::postgres {
namespace {

// `stored`: each type, and the one below its domains. 19 is `name`, too short for a token; 114 and
// 3802 are json and jsonb, 17 bytea, 142 xml.
constexpr char kColumns[] = R"sql(
WITH RECURSIVE stored(oid, base) AS (
  SELECT oid, oid FROM pg_catalog.pg_type WHERE typtype <> 'd'
  UNION ALL SELECT d.oid, stored.base FROM pg_catalog.pg_type d
    JOIN stored ON d.typbasetype = stored.oid WHERE d.typtype = 'd'),
kinds(oid, kind) AS (
  SELECT s.oid, CASE
      WHEN t.oid IN ('114', '3802') THEN 'j' WHEN t.oid = '17' THEN 'b'
      WHEN t.typcategory = 'S' AND t.typtype = 'b' AND t.oid <> '19' THEN 't'
      WHEN t.oid = '142' OR t.typname = 'hstore' OR t.typtype = 'c' THEN 't' END
    FROM stored s JOIN pg_catalog.pg_type t ON t.oid = s.base),
roots(oid, root) AS (
  SELECT oid, oid FROM pg_catalog.pg_class WHERE relkind = 'p' AND NOT relispartition
  UNION ALL SELECT i.inhrelid, roots.root FROM pg_catalog.pg_inherits i
    JOIN roots ON i.inhparent = roots.oid)
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  coalesce(k.kind, e.kind), rn.nspname, rc.relname, c.relkind
FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = ''
  JOIN stored s ON s.oid = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = s.base
  LEFT JOIN kinds k ON k.oid = a.atttypid
  LEFT JOIN kinds e ON e.oid = t.typelem AND t.typcategory = 'A' AND e.kind <> 'b'
  LEFT JOIN roots r ON r.oid = c.oid
  LEFT JOIN pg_catalog.pg_class rc ON rc.oid = r.root
  LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND coalesce(k.kind, CASE WHEN e.kind IS NOT NULL THEN 't' END) IS NOT NULL
ORDER BY n.nspname, c.relname, a.attnum)sql";

}  // namespace

Result<std::vector<TextColumn>> FindTextColumns(Connection& connection) {
  auto rows = connection.Query(kColumns, {}, "the columns of the database cannot be looked up");
  if (!rows) return std::move(rows).error();
  std::vector<TextColumn> columns;
  columns.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::string_view kind = rows->Get(i, 4);
    columns.push_back({.schema = rows->Text(i, 0),
                       .table = rows->Text(i, 1),
                       .name = rows->Text(i, 2),
                       .type = rows->Text(i, 3),
                       .shape = kind == "b"   ? Shape::kBytes
                                : kind == "j" ? Shape::kJson
                                              : Shape::kText,
                       .root_schema = rows->Text(i, 5),
                       .root_table = rows->Text(i, 6),
                       .obstacle = rows->Get(i, 7) == "m" ? "is in a materialized view" : ""});
  }
  return columns;
}

}  // namespace qarion::secrets::rotate::postgres
