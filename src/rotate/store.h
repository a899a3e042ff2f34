// A database as a rotation sees it: rows of encrypted columns, read from one snapshot and written
// in one transaction. PostgreSQL and SQLite stand behind it, each in a module of its own that is
// loaded when it is used.
//
// The interface crosses from the library to a module of the same build: it carries no Secret, and
// no exception.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/finding.h"
#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/store_build.h"

namespace qarion::secrets::rotate {

// One table with rows of its own: a table, or one partition or child of the table that a plan
// names, for which there is one Target each.
struct Target {
  std::size_t table = 0;  // its place in Plan::tables
  std::string schema;     // where it is, as the database spells it; SQLite: "main"
  std::string name;
  std::uint64_t id = 0;  // the store's own
  std::uint64_t estimated_rows = 0;
  std::uint64_t bytes = 0;  // on disk, with its indexes

  std::string Title() const { return schema.empty() ? name : schema + "." + name; }
};

// A column that may hold tokens: of text, bytes or JSON.
struct TextColumn {
  std::string schema;
  std::string table;
  std::string name;
  std::string type;  // as the database names it: "character varying(500)"
  Shape shape = Shape::kText;
  // The partitioned table that `table` is a part of; empty where it is none's.
  std::string root_schema;
  std::string root_table;
  std::string obstacle;  // why no plan can name it: "is what ..."; empty where one can
  std::string Title() const { return (schema.empty() ? "" : schema + ".") + table + "." + name; }
};

struct Cell {
  bool is_null = true;
  std::string_view bytes;  // of text and JSON: UTF-8, JSON as the database writes it
};

// A number of rows in the order of the table. Reused from batch to batch.
struct RowBatch {
  struct Row {
    std::uint64_t locator = 0;  // the store's own; valid until the transaction ends
    bool is_selected = true;    // false: the plan's `where` leaves this row out
  };
  std::vector<Row> rows;
  std::vector<Cell> cells;  // rows.size() times the number of columns, row by row
  std::vector<char> bytes;  // what the cells view
  std::size_t ByteCount() const noexcept { return bytes.size(); }

  // Keeps the memory.
  void Clear() noexcept {
    rows.clear();
    cells.clear();
    bytes.clear();
  }
};

// What to write: for each row its locator, and for each column of the plan the new value, or null
// where it stays as it is.
struct UpdateBatch {
  std::vector<std::uint64_t> locators;
  std::vector<Cell> cells;
  std::vector<char> bytes;  // what the cells view

  // Keeps the memory.
  void Clear() noexcept {
    locators.clear();
    cells.clear();
    bytes.clear();
  }
};

// Rows of one table. One thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Replaces the contents of `batch`; without rows at the end.
  virtual Status Next(RowBatch& batch) = 0;
};

// What a rotation leaves in the audit table.
struct AuditRecord {
  std::string id;           // 32 hexadecimal digits, made anew for each rotation
  std::string tool;         // "qarion-secrets 0.1.0"
  std::string new_key;      // fingerprints
  std::string old_keys;     // with commas between them
  std::string report;       // JSON
  std::string finished_at;  // RFC 3339, UTC; filled in by the store
};

struct TransactionOptions {
  // As StoreAddress::lock_timeout, of this transaction; zero: not at all.
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
  bool is_read_only =
      false;  // `--dry-run`, `verify`: no lock on tables is taken, nothing is written
  // Beside is_read_only, for `--dry-run`: what a writing transaction would be refused for at its
  // begin is an error of Begin() here too.
  bool is_rehearsal = false;
};

enum class CommitOutcome {
  kCommitted,
  kRolledBack,  // the database refused it; nothing is changed
  kUnknown,     // the connection was lost while it decided
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kUnknown;
  std::optional<Error> error;  // where it is not kCommitted
};

// Errors, of all members: kUnavailable: the connection cannot be made or was lost. kTryAgain: a
// lock is held by others, or another rotation is at work. kNotPermitted: a permission is missing,
// row-level security would hide rows. kConfiguration: what the plan names is not there, or is of
// another kind; the address. kBadData: the database refuses a value (a constraint, a trigger).
// kIo: its disk is full. kInternal: else.
//
// Thread-safety: Next() of a source that Read() gave may be called on another thread than the rest;
// Cancel() on any. Everything else: one thread at a time.
class Store {
 public:
  virtual ~Store() = default;

  // "PostgreSQL 15.18, database app at /run/postgresql". No password.
  virtual std::string Description() const = 0;

  // The tables that a plan names, in its order, each partition on its own.
  virtual Result<std::vector<Target>> Resolve(const Plan& plan) = 0;

  // What an operator should know before: triggers, indexes on encrypted columns, room on the disk,
  // replicas, ...
  virtual Result<std::vector<Finding>> Examine(const Plan& plan,
                                               std::span<const Target> targets) = 0;

  // All columns of the database that may hold tokens, of the catalogue's own tables none.
  virtual Result<std::vector<TextColumn>> TextColumns() = 0;

  // Begins the transaction: no second rotation beside it; locks on all targets, in an order that is
  // always the same, before the first snapshot is taken; no time limit of the server's but
  // `lock_timeout`.
  virtual Status Begin(const Plan& plan, std::span<const Target> targets,
                       const TransactionOptions& options) = 0;

  // The rows as they were when the transaction began: all rows of the target, with the columns of
  // its plan. May be read while Update() writes.
  virtual Result<std::unique_ptr<RowSource>> Read(const Target& target) = 0;

  // Writes the new values; returns before the database has done so. The batch may be reused.
  virtual Status Update(const Target& target, const UpdateBatch& batch) = 0;
  // Waits until all updates are done. kInternal: not every row was there.
  virtual Status Finish() = 0;

  // The rows as they are now, inside of the transaction.
  virtual Result<std::unique_ptr<RowSource>> ReadBack(const Target& target) = 0;

  // Values of one column, inside of the transaction, that contain one of `needles` (ASCII), of
  // which there is one at least.
  virtual Result<std::unique_ptr<RowSource>> Search(const TextColumn& column,
                                                    std::span<const std::string_view> needles) = 0;

  // How people find a row again: "id=17", "tenant='a', n=3". Works only before the row is updated
  // or after Finish(). For what Search() gave, a target with schema and name of the column's table,
  // without an id. As long as a source of ReadBack() or Search() is there, only the row's place in
  // the file can be said.
  virtual Result<std::string> NameRow(const Target& target, std::uint64_t locator) = 0;

  // Constraints that were put off are checked now, not at the commit.
  virtual Status CheckConstraints() = 0;
  // kConfiguration: the row is not there afterwards.
  virtual Status WriteAudit(const Plan& plan, AuditRecord record) = 0;
  virtual CommitResult Commit() = 0;
  // Also where no transaction is open.
  virtual void Rollback() noexcept = 0;
  // Makes the call that waits for the database fail soon. From any thread, not from signal
  // handlers.
  virtual void Cancel() noexcept = 0;

  // Outside of a transaction: the record with this id, or the latest where it is empty; nothing
  // where there is none, or no audit table.
  virtual Result<std::optional<AuditRecord>> FindAudit(const Plan& plan, std::string_view id) = 0;
  // Whether another rotation holds its lock now.
  virtual Result<bool> IsBusy() = 0;

  // Shown to the database's operators, where it has a place for that: "rotate 45%".
  virtual void ShowProgress(std::string_view text) = 0;

  // Outside of a transaction: writes the tables anew, so that no old version stays in their files.
  // Locks each against readers too. `each` is called before each target.
  virtual Status ScrubStorage(std::span<const Target> targets,
                              const std::function<void(const Target&)>& each) = 0;
};

// Where the database is, and what else opens it.
struct StoreAddress {
  // PostgreSQL: a URL or conninfo string of libpq's, or empty: its variables alone. SQLite:
  // "sqlite:" and a path.
  std::string text;
  // Used where neither the address nor libpq's own sources have one. The view is used during the
  // call alone.
  std::string_view password;
  // How long to wait for each lock, outside of Begin()'s transaction too.
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
};

// A module's answer to a caller of another build.
inline Error OtherBuild(std::string_view build) {
  return Error(ErrorCode::kConfiguration, "the module of the database is of the build '" +
                                              std::string(kStoreBuild) + "', the library of '" +
                                              std::string(build) + "'")
      .Cure("install the module that came with the library");
}

// A trigger or a rule keeps the row out, by which a lost commit would be found.
inline Error NoAuditRow(const std::string& table) {
  return Error(ErrorCode::kConfiguration,
               "the audit table " + table + " does not keep the row that is written to it")
      .Cure("take triggers and rules away from it, or name another audit_table in the plan");
}

// The function a module exports under kStoreSymbol. `build` must be kStoreBuild of the caller.
using OpenStoreFunction = Result<std::unique_ptr<Store>> (*)(std::string_view build,
                                                             const StoreAddress& address);
inline constexpr char kStoreSymbol[] = "qarion_secrets_open_store";

}  // namespace qarion::secrets::rotate
