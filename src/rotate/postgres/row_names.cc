#include "rotate/postgres/row_names.h"

#include <optional>
#include <utility>

#include "rotate/postgres/errors.h"
#include "rotate/postgres/names.h"
#include "rotate/postgres/wire.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kKeyLookup[] = "the key of a table cannot be looked up";

// $1: the table; $2: columns that may not be in it.
constexpr char kUniqueKey[] = R"sql(
SELECT a.attname, t.typcategory = 'N'
FROM (
    SELECT x.indkey FROM pg_catalog.pg_index x
    WHERE x.indrelid = $1::oid AND x.indisunique AND x.indisvalid AND x.indpred IS NULL
      AND x.indexprs IS NULL AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_attribute b WHERE b.attrelid = x.indrelid
          AND b.attnum = ANY (x.indkey) AND (NOT b.attnotnull OR b.attname = ANY ($2::text[])))
    ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid LIMIT 1) i,
  LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = k.number
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY k.place)sql";

constexpr char kNamedKey[] = R"sql(
SELECT a.attname, t.typcategory = 'N'
FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY AS k(name, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attname = k.name
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY k.place)sql";

// Shown as SQL has it: it can be copied into a condition.
std::string Shown(std::string_view value, bool is_number) {
  std::string line = OneLine(value);
  if (is_number) return line;
  std::string quoted = "'";
  for (const char c : line) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::string PlaceOf(std::uint64_t locator) {
  return "ctid=(" + std::to_string(BlockOf(locator)) + "," + std::to_string(ItemOf(locator)) + ")";
}

Result<const std::vector<RowNames::KeyColumn>*> RowNames::KeyOf(Connection& connection,
                                                                const Table& table) {
  const auto known = keys_.find(table.target.id);
  if (known != keys_.end()) return &known->second;
  std::vector<std::string> encrypted;
  for (const Column& column : table.columns) encrypted.push_back(column.name);
  const bool is_named = !table.key.empty();
  auto rows = connection.Query(
      is_named ? kNamedKey : kUniqueKey,
      {std::to_string(table.target.id), ArrayText(is_named ? table.key : encrypted)}, kKeyLookup);
  if (!rows) return std::move(rows).error();
  std::vector<KeyColumn> key;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    key.push_back({.name = rows->Text(i, 0), .is_number = rows->IsTrue(i, 1)});
  }
  return &keys_.emplace(table.target.id, std::move(key)).first->second;
}

Result<std::string> RowNames::Name(Connection& connection, const Table& table,
                                   std::uint64_t locator) {
  const auto key = KeyOf(connection, table);
  if (!key) return key.error();
  if ((*key)->empty()) return PlaceOf(locator);
  std::string sql = "SELECT ";
  for (const KeyColumn& column : **key) {
    if (&column != (*key)->data()) sql += ", ";
    sql += QuotedName(column.name) + "::text";
  }
  sql +=
      " FROM ONLY " + QuotedName(table.target.schema, table.target.name) + " WHERE ctid = $1::tid";
  const std::string place =
      "(" + std::to_string(BlockOf(locator)) + "," + std::to_string(ItemOf(locator)) + ")";
  auto rows = connection.Query(sql, {place}, table.target.Title() + " cannot be read");
  if (!rows) return std::move(rows).error();
  if (rows->size() != 1) return PlaceOf(locator);
  std::string name;
  for (std::size_t i = 0; i < (*key)->size(); ++i) {
    const KeyColumn& column = (**key)[i];
    const int at = static_cast<int>(i);
    if (i > 0) name += ", ";
    name += column.name + "=";
    name += rows->IsNull(0, at) ? "null" : Shown(rows->Get(0, at), column.is_number);
  }
  return name;
}

}  // namespace qarion::secrets::rotate::postgres
