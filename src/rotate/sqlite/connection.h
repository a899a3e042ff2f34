// A connection to a database of SQLite.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "qarion/secrets/result.h"

struct sqlite3;

namespace qarion::secrets::rotate::sqlite {

// Who reads and who writes share it, so that both see one transaction: for as long as a page of
// rows or a batch of updates takes, each holds mutex(), which SQLite's own mutex would make them
// take for every row.
//
// Thread-safety: whoever holds mutex(); Cancel() and is_cancelled() always.
class Connection {
 public:
  // Opens a database that is there, for writing where its file allows that. Extensions cannot be
  // loaded, so that what the schema calls, in triggers for example, are SQLite's own functions, and
  // no trust in it is needed. Foreign keys are not enforced, as SQLite's default is: no key
  // changes. What is overwritten is not left in the file, and what is committed has reached the
  // disk. kConfiguration, kNotPermitted: see CheckFile; kConfiguration: no database, or one that is
  // encrypted. kTryAgain: another connection has locked it for itself.
  static Result<std::shared_ptr<Connection>> Open(const std::string& path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Closes it and opens it again, as a new user of the database would. Afterwards it is of no use
  // where that fails.
  Status Reopen();

  sqlite3* get() const noexcept { return database_; }
  const std::string& path() const noexcept { return path_; }
  std::mutex& mutex() noexcept { return mutex_; }

  // Statements without parameters. `what` begins the text of errors.
  Status Execute(const std::string& sql, const std::string& what);
  // The number in the first column of the first row; 0 where it is null or there is none.
  Result<std::int64_t> Number(const std::string& sql, const std::string& what);
  // The text there; empty where there is none.
  Result<std::string> Text(const std::string& sql, const std::string& what);

  bool IsInTransaction() const noexcept;
  bool IsReadOnly() const noexcept;
  Result<bool> IsWriteAhead();  // WAL

  // How long a lock is waited for, in each case.
  void SetLockTimeout(std::chrono::milliseconds timeout) noexcept;
  // Whether one was waited for in vain since then. From then on none is waited for any more: SQLite
  // tries again with every page that does not fit into its cache.
  bool HasTimedOut() const noexcept { return has_timed_out_; }

  // Makes what is going on fail, and what comes after it, until Continue().
  void Cancel() noexcept;
  void Continue() noexcept { is_cancelled_ = false; }
  bool is_cancelled() const noexcept { return is_cancelled_; }

  // Tells sources of rows whether their transaction is still open: it is another number in each.
  std::uint64_t transaction() const noexcept { return transaction_; }
  void CountTransaction() noexcept { ++transaction_; }

 private:
  explicit Connection(std::string path) : path_(std::move(path)) {}
  Status Prepare();
  static int OnBusy(void* self, int count) noexcept;
  static int OnProgress(void* self) noexcept;
  bool WaitForLock(bool is_first) noexcept;

  const std::string path_;
  sqlite3* database_ = nullptr;
  std::mutex mutex_;
  std::uint64_t transaction_ = 0;

  std::chrono::milliseconds lock_timeout_{};
  std::chrono::steady_clock::time_point waits_until_;
  std::chrono::milliseconds next_wait_{};
  std::atomic<bool> has_timed_out_ = false;

  std::atomic<bool> is_cancelled_ = false;
  std::mutex waiting_;
  std::condition_variable cancelled_;
};

}  // namespace qarion::secrets::rotate::sqlite
