// A prepared statement of SQLite.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

struct sqlite3_stmt;
struct sqlite3_value;

namespace qarion::secrets::rotate::sqlite {

class Connection;

enum class ValueType { kInteger = 1, kReal, kText, kBlob, kNull };  // SQLite's numbers

// A copy of a value, of whatever type.
struct ValueFree {
  void operator()(sqlite3_value* value) const noexcept;
};
using Value = std::unique_ptr<sqlite3_value, ValueFree>;

// Thread-safety: as of its connection, whose mutex must be held. It must be gone, or reset, before
// the connection's transaction ends.
class Statement {
 public:
  // `what` begins the text of errors, also of later ones. kConfiguration: the SQL is wrong, or is
  // more than one statement.
  static Result<Statement> Prepare(Connection& connection, std::string_view sql, std::string what);

  // Parameters are counted from 1. Text and bytes must stay until the statement is reset or gone.
  void Bind(int parameter, std::int64_t number) noexcept;
  void BindText(int parameter, std::string_view text) noexcept;
  void BindBytes(int parameter, std::string_view bytes) noexcept;
  void BindValue(int parameter, const Value& value) noexcept;

  // Whether there is a (further) row. Once there is none, the statement is reset.
  Result<bool> Step();
  void Reset() noexcept;

  // Of the row. Columns are counted from 0. Views are valid until the next step or reset.
  int columns() const noexcept;
  ValueType Type(int column) const noexcept;
  bool IsNull(int column) const noexcept { return Type(column) == ValueType::kNull; }
  std::int64_t Number(int column) const noexcept;
  // What a BLOB holds; the text, in UTF-8, of all else.
  std::string_view Bytes(int column) const noexcept;
  std::string Text(int column) const { return std::string(Bytes(column)); }
  Value Copy(int column) const;

  bool IsReadOnly() const noexcept;
  bool HasParameters() const noexcept;

 private:
  struct Free {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };

  Statement(Connection& connection, std::unique_ptr<sqlite3_stmt, Free> statement, std::string what)
      : connection_(&connection), statement_(std::move(statement)), what_(std::move(what)) {}

  Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Free> statement_;
  std::string what_;
};

}  // namespace qarion::secrets::rotate::sqlite
