#include "rotate/sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "rotate/sqlite/address.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kUsualLockTimeout{5000};
constexpr milliseconds kShortestWait{1};
constexpr milliseconds kLongestWait{50};
constexpr int kOperationsBetweenLooks = 10'000;  // well below a millisecond

// Absolute, so that SQLite takes it neither for a URI nor for a name of its own.
std::string AbsolutePath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> absolute(realpath(path.c_str(), nullptr),
                                                             &std::free);
  return absolute == nullptr ? path : std::string(absolute.get());
}

// The cache holds what a page of rows and its indexes need, twice what is usual. EXTRA: after a
// power cut too, what was committed stays committed.
constexpr char kSettings[] =
    "PRAGMA cache_size = -4000; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON; "
    "PRAGMA cell_size_check = ON";

}  // namespace

Result<std::shared_ptr<Connection>> Connection::Open(const std::string& path) {
  if (Status checked = CheckFile(path); !checked) return std::move(checked).error();
  std::shared_ptr<Connection> connection(new Connection(AbsolutePath(path)));
  if (Status ready = connection->Prepare(); !ready) return std::move(ready).error();
  return connection;
}

Connection::~Connection() { sqlite3_close_v2(database_); }

Status Connection::Reopen() {
  const std::string what = "the database " + OneLine(path_) + " cannot be opened again";
  // Not while statements are left, which would keep it half open.
  const int code = sqlite3_close(database_);
  if (code != SQLITE_OK) return SqliteError(database_, code, what);
  database_ = nullptr;
  return Prepare();
}

Status Connection::Prepare() {
  const std::string what = "the database " + OneLine(path_) + " cannot be opened";
  const int code = sqlite3_open_v2(path_.c_str(), &database_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                       SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                                   nullptr);
  if (code != SQLITE_OK) return SqliteError(database_, code, what);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Else triggers could not write to full-text indexes.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_busy_handler(database_, OnBusy, this);
  sqlite3_progress_handler(database_, kOperationsBetweenLooks, OnProgress, this);
  SetLockTimeout(kUsualLockTimeout);
  if (Status set = Execute(kSettings, what); !set) return set;
  // The file is looked at only now.
  const auto objects = Number("SELECT count(*) FROM main.sqlite_schema", what);
  if (!objects) return objects.error();
  return {};
}

Status Connection::Execute(const std::string& sql, const std::string& what) {
  if (is_cancelled_) return CancelledError();
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return SqliteError(database_, code, what);
  return {};
}

Result<std::int64_t> Connection::Number(const std::string& sql, const std::string& what) {
  auto statement = Statement::Prepare(*this, sql, what);
  if (!statement) return std::move(statement).error();
  const auto is_row = statement->Step();
  if (!is_row) return is_row.error();
  return *is_row ? statement->Number(0) : 0;
}

Result<std::string> Connection::Text(const std::string& sql, const std::string& what) {
  auto statement = Statement::Prepare(*this, sql, what);
  if (!statement) return std::move(statement).error();
  const auto is_row = statement->Step();
  if (!is_row) return is_row.error();
  return *is_row ? std::string(statement->Bytes(0)) : std::string();
}

bool Connection::IsInTransaction() const noexcept { return sqlite3_get_autocommit(database_) == 0; }

bool Connection::IsReadOnly() const noexcept { return sqlite3_db_readonly(database_, "main") == 1; }

Result<bool> Connection::IsWriteAhead() {
  auto mode = Text("PRAGMA main.journal_mode", OneLine(path_) + " cannot be looked at");
  return std::move(mode).transform([](const std::string& text) { return text == "wal"; });
}

void Connection::SetLockTimeout(milliseconds timeout) noexcept {
  lock_timeout_ = timeout;
  has_timed_out_ = false;
}

void Connection::Cancel() noexcept {
  {
    const std::lock_guard lock(waiting_);
    is_cancelled_ = true;
  }
  cancelled_.notify_all();
}

int Connection::OnProgress(void* self) noexcept {
  return static_cast<Connection*>(self)->is_cancelled_ ? 1 : 0;
}

int Connection::OnBusy(void* self, int count) noexcept {
  return static_cast<Connection*>(self)->WaitForLock(count == 0) ? 1 : 0;
}

bool Connection::WaitForLock(bool is_first) noexcept {
  const auto now = steady_clock::now();
  if (is_first) {
    waits_until_ = now + lock_timeout_;
    next_wait_ = kShortestWait;
  }
  if (has_timed_out_ || now >= waits_until_) {
    has_timed_out_ = true;
    return false;
  }
  std::unique_lock lock(waiting_);
  cancelled_.wait_until(lock, std::min(waits_until_, now + next_wait_),
                        [this] { return is_cancelled_.load(); });
  next_wait_ = std::min(2 * next_wait_, kLongestWait);
  return !is_cancelled_;
}

}  // namespace qarion::secrets::rotate::sqlite
