#include "rotate/sqlite/row_names.h"

#include <string_view>
#include <utility>

#include "core/utf8.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

constexpr std::size_t kMostShown = 60;

std::string ShownBytes(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown = "x'";
  for (const char c : bytes.substr(0, kMostShown / 2)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += kDigits[byte >> 4];
    shown += kDigits[byte & 0xf];
  }
  return shown + (bytes.size() > kMostShown / 2 ? "...'" : "'");
}

std::string ShownText(std::string_view text) {
  std::string_view shown = text.substr(0, kMostShown);
  // No half of a character at its end.
  while (!shown.empty() && shown.size() < text.size() && core::FindInvalidUtf8(shown)) {
    shown.remove_suffix(1);
  }
  return QuotedText(OneLine(shown) + (shown.size() < text.size() ? "..." : ""));
}

// As SQL has it: what was not cut can be copied into a condition.
std::string Shown(const Statement& row, int column) {
  switch (row.Type(column)) {
    case ValueType::kNull: return "null";
    case ValueType::kBlob: return ShownBytes(row.Bytes(column));
    case ValueType::kText: return ShownText(row.Bytes(column));
    default: return row.Text(column);
  }
}

}  // namespace

Result<std::string> NameOfRow(Connection& connection, const Table& table, const KeyIndex* index,
                              std::uint64_t locator) {
  std::string place =
      index == nullptr ? table.rowid + "=" + std::to_string(static_cast<std::int64_t>(locator))
                       : "row " + std::to_string(locator + 1) + " in the order of the primary key";
  // A primary key that is encrypted is no name of rows; that of a table WITHOUT ROWID never is.
  if (table.naming_key.empty()) return place;
  std::string select = "SELECT ";
  for (const std::string& name : table.naming_key) {
    select += (&name == table.naming_key.data() ? "" : ", ") + QuotedName(name);
  }
  select += " FROM " + QuotedTable(table.target.name) + " WHERE " +
            (index == nullptr ? table.rowid + " = ?1" : KeyEquals(table, 1));
  auto row = Statement::Prepare(connection, select, table.Title() + " cannot be read");
  if (!row) return std::move(row).error();
  std::vector<Key> keys;
  if (index == nullptr) {
    row->Bind(1, static_cast<std::int64_t>(locator));
  } else {
    std::uint64_t first = 0;
    auto page = index->Load(connection, table, locator, first);
    if (!page) return place;
    keys = std::move(*page);
    const Key& key = keys[locator - first];
    for (std::size_t i = 0; i < key.size(); ++i) row->BindValue(static_cast<int>(i) + 1, key[i]);
  }
  const auto is_there = row->Step();
  if (!is_there) return is_there.error();
  if (!*is_there) return place;
  std::string name;
  for (int i = 0; i < row->columns(); ++i) {
    name +=
        (i == 0 ? "" : ", ") + table.naming_key[static_cast<std::size_t>(i)] + "=" + Shown(*row, i);
  }
  return name;
}

}  // namespace qarion::secrets::rotate::sqlite
