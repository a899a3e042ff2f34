#include "rotate/sqlite/keyed_rows.h"

#include <algorithm>
#include <utility>

#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

std::string Listed(const Table& table, std::string_view after_each) {
  std::string list;
  for (const std::string& name : table.primary_key) {
    if (!list.empty()) list += ", ";
    list += QuotedName(name);
    list += after_each;
  }
  return list;
}

}  // namespace

std::string KeyList(const Table& table) { return Listed(table, ""); }

std::string KeyOrder(const Table& table) {
  return Listed(table, table.is_descending ? " DESC" : "");
}

std::string KeyFollows(const Table& table, bool or_equal) {
  std::string parameters;
  for (std::size_t i = 1; i <= table.primary_key.size(); ++i) {
    parameters += (i == 1 ? "?" : ", ?") + std::to_string(i);
  }
  return "(" + KeyList(table) + ") " + (table.is_descending ? "<" : ">") + (or_equal ? "=" : "") +
         " (" + parameters + ")";
}

std::string KeyEquals(const Table& table, int first_parameter) {
  std::string condition;
  for (const std::string& name : table.primary_key) {
    if (!condition.empty()) condition += " AND ";
    condition += QuotedName(name) + " = ?" + std::to_string(first_parameter++);
  }
  return condition;
}

void KeyDigest::AddBytes(std::string_view bytes) noexcept {
  for (const char c : bytes) {
    digest_ ^= static_cast<unsigned char>(c);
    digest_ *= 0x100000001b3;
  }
}

void KeyDigest::Add(const Statement& row, std::size_t columns) {
  for (int i = 0; i < static_cast<int>(columns); ++i) {
    const ValueType type = row.Type(i);  // before the value is looked at as text
    const std::string bytes =
        type == ValueType::kInteger ? std::to_string(row.Number(i)) : row.Text(i);
    AddBytes(std::to_string(static_cast<int>(type)) + ":" + std::to_string(bytes.size()) + ":");
    AddBytes(bytes);
  }
}

void KeyIndex::Add(KeyPage page) {
  if (page.count == 0 || !IsNext(page.first)) return;
  size_ += page.count;
  pages_.push_back(std::move(page));
}

Result<std::vector<Key>> KeyIndex::Load(Connection& connection, const Table& table,
                                        std::uint64_t number, std::uint64_t& first) const {
  if (number >= size_) {
    return Error(ErrorCode::kInternal,
                 table.Title() + " has no row with the number " + std::to_string(number))
        .Cure("report it");
  }
  const KeyPage& page =
      *std::prev(std::ranges::upper_bound(pages_, number, std::less<>(), &KeyPage::first));
  first = page.first;
  auto rows =
      Statement::Prepare(connection,
                         "SELECT " + KeyList(table) + " FROM " + QuotedTable(table.target.name) +
                             " WHERE " + KeyFollows(table, true) + " ORDER BY " + KeyOrder(table) +
                             " LIMIT " + std::to_string(page.count),
                         table.Title() + " cannot be read");
  if (!rows) return std::move(rows).error();
  for (std::size_t i = 0; i < page.start.size(); ++i) {
    rows->BindValue(static_cast<int>(i) + 1, page.start[i]);
  }
  std::vector<Key> keys;
  KeyDigest digest;
  while (true) {
    const auto is_row = rows->Step();
    if (!is_row) return is_row.error();
    if (!*is_row) break;
    digest.Add(*rows, table.primary_key.size());
    Key& key = keys.emplace_back();
    for (int i = 0; i < rows->columns(); ++i) key.push_back(rows->Copy(i));
  }
  if (keys.size() == page.count && digest.Get() == page.digest) return keys;
  return WrongTable(table.Title(), "has other rows than before: a trigger inserts or deletes some",
                    "drop the trigger for the time of the rotation");
}

}  // namespace qarion::secrets::rotate::sqlite
