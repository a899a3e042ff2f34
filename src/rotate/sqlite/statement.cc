#include "rotate/sqlite/statement.h"

#include <sqlite3.h>

#include <utility>

#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/errors.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

static_assert(static_cast<int>(ValueType::kInteger) == SQLITE_INTEGER &&
              static_cast<int>(ValueType::kReal) == SQLITE_FLOAT &&
              static_cast<int>(ValueType::kText) == SQLITE_TEXT &&
              static_cast<int>(ValueType::kBlob) == SQLITE_BLOB &&
              static_cast<int>(ValueType::kNull) == SQLITE_NULL);

// A null pointer would be taken for NULL.
const char* DataOf(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }

}  // namespace

void ValueFree::operator()(sqlite3_value* value) const noexcept { sqlite3_value_free(value); }

void Statement::Free::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Result<Statement> Statement::Prepare(Connection& connection, std::string_view sql,
                                     std::string what) {
  if (connection.is_cancelled()) return CancelledError();
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(connection.get(), sql.data(), static_cast<int>(sql.size()), 0,
                                      &statement, &rest);
  std::unique_ptr<sqlite3_stmt, Free> owned(statement);
  if (code != SQLITE_OK) return SqliteError(connection.get(), code, what);
  if (owned == nullptr || rest != sql.data() + sql.size()) {
    return Error(ErrorCode::kConfiguration, what + ": what the plan says is no condition of SQL")
        .Cure("mend the plan's `where`");
  }
  return Statement(connection, std::move(owned), std::move(what));
}

void Statement::Bind(int parameter, std::int64_t number) noexcept {
  sqlite3_bind_int64(statement_.get(), parameter, number);
}

void Statement::BindText(int parameter, std::string_view text) noexcept {
  sqlite3_bind_text64(statement_.get(), parameter, DataOf(text), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void Statement::BindBytes(int parameter, std::string_view bytes) noexcept {
  sqlite3_bind_blob64(statement_.get(), parameter, DataOf(bytes), bytes.size(), SQLITE_STATIC);
}

void Statement::BindValue(int parameter, const Value& value) noexcept {
  sqlite3_bind_value(statement_.get(), parameter, value.get());
}

Result<bool> Statement::Step() {
  if (connection_->is_cancelled()) {
    Reset();
    return CancelledError();
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    Error error = SqliteError(connection_->get(), code, what_);
    Reset();
    return error;
  }
  Reset();
  return false;
}

void Statement::Reset() noexcept { sqlite3_reset(statement_.get()); }

int Statement::columns() const noexcept { return sqlite3_column_count(statement_.get()); }

ValueType Statement::Type(int column) const noexcept {
  return static_cast<ValueType>(sqlite3_column_type(statement_.get(), column));
}

std::int64_t Statement::Number(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::Bytes(int column) const noexcept {
  const void* bytes = Type(column) == ValueType::kBlob
                          ? sqlite3_column_blob(statement_.get(), column)
                          : sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Value Statement::Copy(int column) const {
  return Value(sqlite3_value_dup(sqlite3_column_value(statement_.get(), column)));
}

bool Statement::IsReadOnly() const noexcept { return sqlite3_stmt_readonly(statement_.get()) != 0; }

bool Statement::HasParameters() const noexcept {
  return sqlite3_bind_parameter_count(statement_.get()) > 0;
}

}  // namespace qarion::secrets::rotate::sqlite
