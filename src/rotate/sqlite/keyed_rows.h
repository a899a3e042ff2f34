// Rows of tables WITHOUT ROWID, which have no number. They are numbered here by their place in the
// order of the primary key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {

using Key = std::vector<Value>;

// `"a", "b"`, and the same as an order.
std::string KeyList(const Table& table);
std::string KeyOrder(const Table& table);
// `("a", "b") > (?1, ?2)`, in the direction of the order. `or_equal`: the row itself too.
std::string KeyFollows(const Table& table, bool or_equal);
// `"a" = ?2 AND "b" = ?3`, for a first parameter of 2.
std::string KeyEquals(const Table& table, int first_parameter);

// A number of rows that follow each other.
struct KeyPage {
  std::uint64_t first = 0;  // the first row's number
  std::size_t count = 0;
  Key start;                 // the first row's key
  std::uint64_t digest = 0;  // of all keys, to see whether they are still the same rows
};

// Gathers the keys of a page's rows as they are read.
class KeyDigest {
 public:
  // The key that is in the first columns of the statement's row.
  void Add(const Statement& row, std::size_t columns);
  std::uint64_t Get() const noexcept { return digest_; }

 private:
  void AddBytes(std::string_view bytes) noexcept;
  std::uint64_t digest_ = 0xcbf29ce484222325;  // FNV-1a
};

// Where the pages of one table begin: so that a row is found again by its number, without a key in
// memory for each. Numbers stay what they are as long as no row is inserted or deleted, which only
// triggers could do while a transaction has the database to itself; then the digests tell.
class KeyIndex {
 public:
  // Pages in their order, from 0; those that are known already are left as they are.
  void Add(KeyPage page);
  bool IsNext(std::uint64_t first) const noexcept { return first == size_; }

  // The keys of the page with this row. kInternal: no such row was read. kConfiguration: a trigger
  // has inserted or deleted rows.
  Result<std::vector<Key>> Load(Connection& connection, const Table& table, std::uint64_t number,
                                std::uint64_t& first) const;

 private:
  std::vector<KeyPage> pages_;
  std::uint64_t size_ = 0;  // rows
};

}  // namespace qarion::secrets::rotate::sqlite
