#include "rotate/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "rotate/sqlite/address.h"
#include "rotate/sqlite/audit.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/preflight.h"
#include "rotate/sqlite/row_names.h"
#include "rotate/sqlite/row_reader.h"
#include "rotate/sqlite/scrub_storage.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

using Lock = std::lock_guard<std::mutex>;

Error NoTransaction() {
  return Error(ErrorCode::kInternal, "no transaction is open").Cure("report it");
}

std::vector<Target> TargetsOf(const std::vector<Table>& tables) {
  std::vector<Target> targets;
  targets.reserve(tables.size());
  for (const Table& table : tables) targets.push_back(table.target);
  return targets;
}

// Whether the plan means the same tables as before.
bool AreSame(const std::vector<Table>& tables, std::span<const Target> targets) {
  return std::equal(tables.begin(), tables.end(), targets.begin(), targets.end(),
                    [](const Table& table, const Target& target) {
                      return table.target.id == target.id && table.target.table == target.table &&
                             table.target.name == target.name;
                    });
}

}  // namespace

SqliteStore::SqliteStore(std::shared_ptr<Connection> connection,
                         std::chrono::milliseconds lock_timeout)
    : description_(std::string("SQLite ") + sqlite3_libversion() + ", " +
                   OneLine(connection->path())),
      usual_lock_timeout_(lock_timeout),
      connection_(std::move(connection)) {
  connection_->SetLockTimeout(usual_lock_timeout_);
}

SqliteStore::~SqliteStore() { SqliteStore::Rollback(); }

Result<std::unique_ptr<Store>> SqliteStore::Open(const StoreAddress& address) {
  const auto path = PathOf(address.text);
  if (!path) return path.error();
  auto connection = Connection::Open(*path);
  if (!connection) return std::move(connection).error();
  return std::unique_ptr<Store>(new SqliteStore(std::move(*connection), address.lock_timeout));
}

std::string SqliteStore::Description() const { return description_; }

Result<std::vector<Target>> SqliteStore::Resolve(const Plan& plan) {
  const Lock lock(connection_->mutex());
  const auto tables = FindTables(*connection_, plan);
  if (!tables) return tables.error();
  return TargetsOf(*tables);
}

Result<std::vector<Finding>> SqliteStore::Examine(const Plan& plan, std::span<const Target>) {
  const Lock lock(connection_->mutex());
  const auto tables = FindTables(*connection_, plan);
  if (!tables) return tables.error();
  if (Status writable = CheckMayWrite(*connection_); !writable) return writable.error();
  return ExamineDatabase(*connection_, *tables);
}

Result<std::vector<TextColumn>> SqliteStore::TextColumns() {
  const Lock lock(connection_->mutex());
  return FindTextColumns(*connection_);
}

Status SqliteStore::Begin(const Plan& plan, std::span<const Target> targets,
                          const TransactionOptions& options) {
  Rollback();
  const Lock lock(connection_->mutex());
  connection_->SetLockTimeout(options.lock_timeout);
  connection_->CountTransaction();
  Status begun = BeginWork(plan, targets, options);
  if (!begun) EndTransaction();
  return begun;
}

Status SqliteStore::BeginWork(const Plan& plan, std::span<const Target> targets,
                              const TransactionOptions& options) {
  const std::string what = "no transaction can begin in " + OneLine(connection_->path());
  is_read_only_ = options.is_read_only;
  audit_id_.clear();
  // A rehearsal is refused what the real one would be refused.
  const bool must_be_writable = !is_read_only_ || options.is_rehearsal;
  if (must_be_writable && connection_->IsReadOnly()) {
    return Error(ErrorCode::kNotPermitted, what + ": the database may not be written")
        .Cure("let the user of this process write to the file and its directory");
  }
  // A transaction that only looks begins with its first look.
  Status begun = connection_->Execute(
      is_read_only_ ? "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM main.sqlite_schema"
                    : "BEGIN IMMEDIATE",
      what);
  if (!begun) return begun;
  auto tables = FindTables(*connection_, plan);
  if (!tables) return std::move(tables).error();
  if (!AreSame(*tables, targets)) {
    return Error(ErrorCode::kTryAgain, "the tables of the plan are not the ones they were before")
        .Cure("run it again");
  }
  if (must_be_writable) {
    if (Status audit = CheckAuditTable(*connection_, plan); !audit) return audit;
    writer_.emplace(*connection_);
    for (const Table& table : *tables) {
      if (Status ready = writer_->Prepare(table); !ready) return ready;
    }
    if (is_read_only_) writer_.reset();
  }
  for (Table& table : *tables) {
    auto index = table.rowid.empty() ? std::make_shared<KeyIndex>() : nullptr;
    const std::string name = table.target.name;
    tables_.emplace(name, Known{std::move(table), std::move(index)});
  }
  plan_ = plan;
  return {};
}

Result<SqliteStore::Known*> SqliteStore::Find(const std::string& name) {
  const Lock lock(connection_->mutex());
  if (!connection_->IsInTransaction()) {
    return connection_->is_cancelled() ? CancelledError() : NoTransaction();
  }
  const auto known = tables_.find(name);
  if (known != tables_.end()) return &known->second;
  auto table = FindTable(*connection_, name);
  if (!table) return std::move(table).error();
  auto index = table->rowid.empty() ? std::make_shared<KeyIndex>() : nullptr;
  return &tables_.emplace(name, Known{std::move(*table), std::move(index)}).first->second;
}

Result<std::unique_ptr<RowSource>> SqliteStore::OpenRows(const Target& target) {
  const auto known = Find(target.name);
  if (!known) return known.error();
  return RowReader::OpenAll(connection_, (*known)->table, (*known)->index);
}

Result<std::unique_ptr<RowSource>> SqliteStore::Read(const Target& target) {
  return OpenRows(target);
}

Result<std::unique_ptr<RowSource>> SqliteStore::ReadBack(const Target& target) {
  return OpenRows(target);
}

Result<std::unique_ptr<RowSource>> SqliteStore::Search(const TextColumn& column,
                                                       std::span<const std::string_view> needles) {
  const auto known = Find(column.table);
  if (!known) return known.error();
  return RowReader::OpenMatching(connection_, (*known)->table, (*known)->index, column.name,
                                 needles);
}

Status SqliteStore::Update(const Target& target, const UpdateBatch& batch) {
  const auto known = Find(target.name);
  if (!known) return known.error();
  if (!writer_) {
    return Error(ErrorCode::kInternal, "the transaction is one that only looks").Cure("report it");
  }
  const Lock lock(connection_->mutex());
  return writer_->Write((*known)->table, (*known)->index.get(), batch);
}

Status SqliteStore::Finish() {
  if (connection_->is_cancelled()) return CancelledError();
  return {};
}

Result<std::string> SqliteStore::NameRow(const Target& target, std::uint64_t locator) {
  const auto known = Find(target.name);
  if (!known) return known.error();
  const Lock lock(connection_->mutex());
  return NameOfRow(*connection_, (*known)->table, (*known)->index.get(), locator);
}

Status SqliteStore::CheckConstraints() { return Finish(); }

Status SqliteStore::WriteAudit(const Plan& plan, AuditRecord record) {
  const Lock lock(connection_->mutex());
  if (!connection_->IsInTransaction()) return NoTransaction();
  Status inserted = InsertAudit(*connection_, plan, record);
  if (inserted) audit_id_ = record.id;
  return inserted;
}

CommitResult SqliteStore::Commit() {
  std::optional<Error> error;
  {
    const Lock lock(connection_->mutex());
    if (!connection_->IsInTransaction()) {
      return {CommitOutcome::kRolledBack,
              connection_->is_cancelled() ? CancelledError() : NoTransaction()};
    }
    Status committed = connection_->Execute(
        "COMMIT", "the changes to " + OneLine(connection_->path()) + " cannot be committed");
    if (committed) {
      EndTransaction();
      return {CommitOutcome::kCommitted, std::nullopt};
    }
    error = std::move(committed).error();
  }
  Rollback();
  // A lock that is not to be had comes before anything is decided. A failure of the file itself, or
  // a want of memory, may come after.
  const bool may_be_done =
      error->code() == ErrorCode::kIo || error->code() == ErrorCode::kUnavailable;
  if (!may_be_done) return {CommitOutcome::kRolledBack, std::move(error)};
  return Settle(std::move(*error));
}

// Looks, as the next user of the database would, which side of the decision it is on.
CommitResult SqliteStore::Settle(Error error) {
  const Lock lock(connection_->mutex());
  if (audit_id_.empty() || !connection_->Reopen()) {
    return {CommitOutcome::kUnknown, std::move(error)};
  }
  const auto record = SelectAudit(*connection_, plan_, audit_id_);
  if (!record) return {CommitOutcome::kUnknown, std::move(error)};
  if (*record) return {CommitOutcome::kCommitted, std::nullopt};
  return {CommitOutcome::kRolledBack, std::move(error)};
}

void SqliteStore::EndTransaction() noexcept {
  writer_.reset();
  tables_.clear();
  connection_->CountTransaction();
  connection_->Continue();
  if (connection_->IsInTransaction()) {
    sqlite3_exec(connection_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  if (is_read_only_) {
    sqlite3_exec(connection_->get(), "PRAGMA query_only = OFF", nullptr, nullptr, nullptr);
  }
  connection_->SetLockTimeout(usual_lock_timeout_);
}

void SqliteStore::Rollback() noexcept {
  const Lock lock(connection_->mutex());
  EndTransaction();
}

void SqliteStore::Cancel() noexcept { connection_->Cancel(); }

Result<std::optional<AuditRecord>> SqliteStore::FindAudit(const Plan& plan, std::string_view id) {
  const Lock lock(connection_->mutex());
  return SelectAudit(*connection_, plan, id);
}

Result<bool> SqliteStore::IsBusy() {
  const Lock lock(connection_->mutex());
  if (connection_->IsInTransaction() || connection_->IsReadOnly()) return false;
  connection_->SetLockTimeout(std::chrono::milliseconds(0));
  const int code = sqlite3_exec(connection_->get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  Result<bool> is_busy = (code & 0xff) == SQLITE_BUSY;
  if (code == SQLITE_OK) {
    sqlite3_exec(connection_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
  } else if ((code & 0xff) != SQLITE_BUSY) {
    is_busy = SqliteError(connection_->get(), code, "the lock of the database cannot be tried");
  }
  connection_->SetLockTimeout(usual_lock_timeout_);
  return is_busy;
}

void SqliteStore::ShowProgress(std::string_view) {}

Status SqliteStore::ScrubStorage(std::span<const Target> targets,
                                 const std::function<void(const Target&)>& each) {
  const Lock lock(connection_->mutex());
  if (connection_->IsInTransaction()) {
    return Error(ErrorCode::kInternal, "a transaction is open").Cure("report it");
  }
  // All of them are in one file.
  for (const Target& target : targets) each(target);
  return RewriteDatabase(*connection_);
}

}  // namespace qarion::secrets::rotate::sqlite
