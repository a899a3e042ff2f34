#include "rotate/postgres/postgres_store.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "rotate/postgres/connect.h"
#include "rotate/postgres/copy_reader.h"
#include "rotate/postgres/errors.h"
#include "rotate/postgres/names.h"
#include "rotate/postgres/permissions.h"
#include "rotate/postgres/preflight.h"
#include "rotate/postgres/scrub_storage.h"
#include "rotate/postgres/statements.h"
#include "rotate/postgres/text_columns.h"
#include "rotate/postgres/transaction.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr std::chrono::seconds kSettleTimeout{5};
constexpr std::chrono::milliseconds kReaderLockTimeout{100};

Error NoTransaction() {
  return Error(ErrorCode::kInternal, "no transaction is open").Cure("report it");
}

CopyShape ShapeOf(const Table& table) {
  return {.has_condition = !table.where.empty(), .columns = table.columns.size()};
}

Error Changed() {
  return Error(ErrorCode::kTryAgain, "the tables of the plan are not the ones they were before")
      .Cure("run it again");
}

// Whether the plan means the same tables as before.
bool AreSame(std::span<const Table> tables, std::span<const Target> targets) {
  return std::equal(tables.begin(), tables.end(), targets.begin(), targets.end(),
                    [](const Table& table, const Target& target) {
                      return table.target.id == target.id && table.target.table == target.table;
                    });
}

Status CheckWriting(Connection& connection, const Plan& plan, const Resolved& found) {
  if (Status checked = CheckPermissions(connection, found, Access::kWrite); !checked) {
    return checked;
  }
  const auto audit = FindAuditTable(connection, plan);
  return audit ? CheckAuditTable(connection, *audit) : Status(audit.error());
}

// Whether a schema, table or column is not there any more.
bool IsGone(const Error& error) {
  return std::ranges::any_of(error.context(), [](const auto& entry) {
    return entry.first == "sqlstate" &&
           (entry.second == "3F000" || entry.second == "42P01" || entry.second == "42703");
  });
}

Error Barred(const Error& locked) {
  return Error(ErrorCode::kTryAgain,
               locked.reason() + ": who waits to alter it came between its lock and its reading")
      .Cure("run it again when no table of the plan is being altered");
}

// Functions and operators are looked up in the schemas that come before pg_catalog.
Status CheckSearchPath(Connection& connection) {
  auto path = connection.Query("SELECT pg_catalog.current_schemas(true)", {},
                               "the search path cannot be looked up");
  if (!path) return std::move(path).error();
  std::string_view schemas = path->Get(0, 0);
  schemas.remove_prefix(1);  // the brace of the array
  // In the schema of temporary tables neither is looked for.
  if (schemas.starts_with("pg_temp_")) schemas.remove_prefix(schemas.find_first_of(",}") + 1);
  const std::string first(schemas.substr(0, schemas.find_first_of(",}")));
  if (first == "pg_catalog") return {};
  return Error(ErrorCode::kConfiguration,
               "the search path names the schema " + first +
                   " before pg_catalog: what is made there could stand in for functions and "
                   "operators of the database's own")
      .With("schema", first)
      .Cure(
          "leave pg_catalog out of the search path of the role or the database, or set another one "
          "for this command: PGOPTIONS='-c search_path=public'");
}

Status ParseUpdates(Connection& connection, const Resolved& found) {
  for (const Table& table : found.tables) {
    Status parsed =
        connection.Parse(UpdateRows(table), table.target.Title() + " cannot be updated");
    if (!parsed) return parsed;
  }
  return {};
}

}  // namespace

PostgresStore::PostgresStore(std::shared_ptr<Connection> connection,
                             std::chrono::milliseconds lock_timeout)
    : description_(Describe(*connection)),
      usual_lock_timeout_(lock_timeout),
      main_(std::move(connection)) {}

PostgresStore::~PostgresStore() { Rollback(); }

Result<std::unique_ptr<Store>> PostgresStore::Open(const StoreAddress& address) {
  auto connection = Connect(address);
  if (!connection) return std::move(connection).error();
  if (Status safe = CheckSearchPath(**connection); !safe) return std::move(safe).error();
  return std::unique_ptr<Store>(new PostgresStore(std::move(*connection), address.lock_timeout));
}

std::string PostgresStore::Description() const { return description_; }

Status PostgresStore::CheckCancelled() const {
  if (is_cancelled_) return CancelledError();
  return {};
}

Result<const Table*> PostgresStore::Find(const Target& target) const {
  for (const Table& table : resolved_.tables) {
    if (table.target.id == target.id) return &table;
  }
  return Error(ErrorCode::kInternal, target.Title() + " is no table of the transaction");
}

Status PostgresStore::Reconnect() {
  auto connection = ConnectLike(*main_, SameServer::kNo);
  if (!connection) return std::move(connection).error();
  if (Status safe = CheckSearchPath(**connection); !safe) return safe;
  const std::lock_guard lock(mutex_);
  main_ = std::move(*connection);
  reader_.reset();  // which may be another server's
  return {};
}

Status PostgresStore::BeginLooking() {
  if (is_open_) return {};
  Status begun = main_->IsLost() ? Reconnect() : Status();
  if (begun) begun = BeginTransaction(*main_, Access::kSnapshot, usual_lock_timeout_);
  // It may have been lost while nobody looked.
  if (begun || !main_->IsLost()) return begun;
  if (begun = Reconnect(); !begun) return begun;
  return BeginTransaction(*main_, Access::kSnapshot, usual_lock_timeout_);
}

void PostgresStore::EndLooking() noexcept {
  if (is_open_ || main_->IsLost()) return;
  const Status ended = main_->Execute("ROLLBACK", "");
  static_cast<void>(ended.has_value());
}

Result<std::vector<Target>> PostgresStore::Resolve(const Plan& plan) {
  if (Status begun = BeginLooking(); !begun) return std::move(begun).error();
  auto found = FindTables(*main_, plan);
  EndLooking();
  if (!found) return std::move(found).error();
  std::vector<Target> targets;
  for (const Table& table : found->tables) targets.push_back(table.target);
  return targets;
}

Status PostgresStore::Begin(const Plan& plan, std::span<const Target> targets,
                            const TransactionOptions& options) {
  if (is_open_) Rollback();
  if (Status going = CheckCancelled(); !going) {
    Rollback();  // which begins anew
    return going;
  }
  Status alive = BeginLooking();
  if (alive && (!options.is_read_only || options.is_rehearsal)) alive = CheckPrimary(*main_);
  if (alive && options.is_read_only && options.is_rehearsal) alive = Rehearse(plan);
  EndLooking();
  if (!alive) return alive;
  const auto deadline = std::chrono::steady_clock::now() + options.lock_timeout;
  while (true) {
    if (Status ready = PrepareReader(); !ready) return ready;
    is_open_ = true;
    is_barred_ = false;
    Status begun = BeginWork(plan, targets, options);
    if (begun) return begun;
    const bool is_cancelled = Abandon();
    // Whoever waits has its turn now.
    if (!is_barred_ || is_cancelled || std::chrono::steady_clock::now() >= deadline) return begun;
  }
}

Status PostgresStore::PrepareReader() {
  if (reader_ && reader_->Execute("SELECT", "the second connection")) return {};
  {
    const std::lock_guard lock(mutex_);
    reader_.reset();
  }
  auto reader = ConnectLike(*main_, SameServer::kYes);
  if (!reader) return std::move(reader).error();
  if (Status safe = CheckSearchPath(**reader); !safe) return safe;
  const std::lock_guard lock(mutex_);
  reader_ = std::move(*reader);
  return {};
}

Status PostgresStore::Rehearse(const Plan& plan) {
  const auto held = IsAdvisoryLockHeld(*main_);
  if (!held) return held.error();
  if (*held) return OtherRotation();
  auto found = FindTables(*main_, plan);
  if (!found) return std::move(found).error();
  if (Status allowed = CheckWriting(*main_, plan, *found); !allowed) return allowed;
  return ParseUpdates(*main_, *found);
}

Status PostgresStore::BeginWork(const Plan& plan, std::span<const Target> targets,
                                const TransactionOptions& options) {
  lock_timeout_ = options.lock_timeout;
  const Access access = options.is_read_only ? Access::kSnapshot : Access::kWrite;
  Status done = BeginTransaction(*main_, access, lock_timeout_);
  if (done && access == Access::kWrite) done = TakeAdvisoryLock(*main_);
  if (!done) return done;
  auto found = FindTables(*main_, plan);
  if (!found) return std::move(found).error();
  done = access == Access::kWrite ? CheckWriting(*main_, plan, *found)
                                  : CheckPermissions(*main_, *found, access);
  if (done && access == Access::kSnapshot) {
    done = LockTables(*main_, *found, LockMode::kBarAlterations);
  } else if (done) {
    done = LockTables(*main_, *found, LockMode::kBarWriters);
    // What the plan names may have changed before the locks were there.
    if (done) found = FindTables(*main_, plan);
  }
  if (!done) return done;
  if (!found) return std::move(found).error();
  if (!AreSame(found->tables, targets)) return Changed();
  resolved_ = std::move(*found);
  // Not before: the server locks a table for this too.
  if (access == Access::kWrite) done = ParseUpdates(*main_, resolved_);
  if (!done) return done;
  writer_.emplace(*main_);
  return BeginReading();
}

Status PostgresStore::BeginReading() {
  auto snapshot = main_->Query("SELECT pg_catalog.pg_export_snapshot()", {},
                               "what the first connection sees cannot be shared");
  if (!snapshot) return std::move(snapshot).error();
  snapshot_ = snapshot->Text(0, 0);
  // All at once and soon: who waits for our end, to alter a table, may stand between the tables and
  // this connection, whose rows our end waits for. The server sees no deadlock in that.
  const auto soon = std::min(lock_timeout_, kReaderLockTimeout);
  Status begun = BeginWithSnapshot(*reader_, snapshot_, soon);
  if (!begun) return begun;
  Status locked = LockTables(*reader_, resolved_, LockMode::kBarAlterations);
  if (locked) return SetLockTimeout(*reader_, lock_timeout_);
  if (!IsLockTimeout(locked.error())) return locked;
  is_barred_ = true;
  return Barred(locked.error());
}

Result<std::unique_ptr<RowSource>> PostgresStore::Read(const Target& target) {
  if (!is_open_) return NoTransaction();
  if (Status going = CheckCancelled(); !going) return std::move(going).error();
  const auto table = Find(target);
  if (!table) return table.error();
  // A source that was left before its end has cost the second connection its transaction.
  if (PQtransactionStatus(reader_->get()) == PQTRANS_INERROR) {
    Status renewed = reader_->Execute("ROLLBACK", "the rows cannot be read");
    if (renewed) renewed = BeginWithSnapshot(*reader_, snapshot_, lock_timeout_);
    if (renewed) renewed = LockTables(*reader_, resolved_, LockMode::kBarAlterations);
    if (!renewed) return std::move(renewed).error();
  }
  return CopyReader::Open(reader_, SelectRows(**table), ShapeOf(**table),
                          target.Title() + " cannot be read");
}

Status PostgresStore::Update(const Target& target, const UpdateBatch& batch) {
  if (!is_open_) return NoTransaction();
  if (Status going = CheckCancelled(); !going) return going;
  const auto table = Find(target);
  if (!table) return table.error();
  return writer_->Write(**table, batch);
}

Status PostgresStore::Finish() {
  if (!is_open_) return {};
  if (Status going = CheckCancelled(); !going) return going;
  return writer_->Finish();
}

Result<std::unique_ptr<RowSource>> PostgresStore::ReadBack(const Target& target) {
  if (!is_open_) return NoTransaction();
  if (Status ready = Finish(); !ready) return std::move(ready).error();
  const auto table = Find(target);
  if (!table) return table.error();
  return CopyReader::Open(main_, SelectRows(**table), ShapeOf(**table),
                          target.Title() + " cannot be read");
}

void PostgresStore::Rollback() noexcept { Abandon(); }

bool PostgresStore::Abandon() noexcept {
  if (is_open_) {
    // What the connection is in the midst of is given up; where that takes too long, so is the
    // connection, and the server undoes what was done on it.
    if (!main_->RollBack(kSettleTimeout)) main_->Close();
  }
  // It is kept: before the server has noticed its end, a further one may be one too many.
  const bool keeps_reader = reader_ && reader_->RollBack(kSettleTimeout);
  const std::lock_guard lock(mutex_);
  writer_.reset();
  if (!keeps_reader) reader_.reset();
  audit_mark_.reset();
  is_open_ = false;
  is_committing_ = false;
  return is_cancelled_.exchange(false);
}

Result<std::vector<Finding>> PostgresStore::Examine(const Plan& plan,
                                                    std::span<const Target> targets) {
  if (is_open_) return Error(ErrorCode::kInternal, "a transaction is open");
  if (Status begun = BeginLooking(); !begun) return std::move(begun).error();
  auto found = FindTables(*main_, plan);
  EndLooking();
  if (!found) return std::move(found).error();
  if (!AreSame(found->tables, targets)) return Changed();
  return ExamineDatabase(*main_, *found);
}

Result<std::vector<TextColumn>> PostgresStore::TextColumns() {
  if (Status ready = Finish(); !ready) return std::move(ready).error();
  if (Status begun = BeginLooking(); !begun) return std::move(begun).error();
  auto columns = FindTextColumns(*main_);
  EndLooking();
  return columns;
}

Result<std::unique_ptr<RowSource>> PostgresStore::Search(
    const TextColumn& column, std::span<const std::string_view> needles) {
  if (!is_open_) return NoTransaction();
  if (Status ready = Finish(); !ready) return std::move(ready).error();
  auto source = CopyReader::Open(main_, SelectMatches(column, needles), {.columns = 1},
                                 column.Title() + " cannot be searched");
  if (source) return source;
  if (IsGone(source.error())) {
    return Error(ErrorCode::kTryAgain, column.Title() +
                                           " was there a moment ago: somebody alters "
                                           "the tables of the database")
        .Cure("run it again");
  }
  if (source.error().code() != ErrorCode::kNotPermitted) return source;
  return Error(ErrorCode::kNotPermitted, source.error().reason())
      .With("table", column.schema + "." + column.table)
      .Cure(source.error().cure() +
            "; or leave what the plan does not list, with --allow-unlisted");
}

Result<std::string> PostgresStore::NameRow(const Target& target, std::uint64_t locator) {
  if (!is_open_) return NoTransaction();
  if (writer_->is_active()) {
    if (Status ready = Finish(); !ready) return std::move(ready).error();
  }
  if (PQtransactionStatus(main_->get()) != PQTRANS_INTRANS) return PlaceOf(locator);
  if (target.id != 0) {
    const auto table = Find(target);
    if (!table) return table.error();
    return names_.Name(*main_, **table, locator);
  }
  const auto known =
      std::find_if(resolved_.tables.begin(), resolved_.tables.end(), [&](const Table& table) {
        return table.target.schema == target.schema && table.target.name == target.name;
      });
  if (known != resolved_.tables.end()) return names_.Name(*main_, *known, locator);
  auto table = FindTable(*main_, target.schema, target.name);
  if (!table) return std::move(table).error();
  return names_.Name(*main_, *table, locator);
}

Status PostgresStore::CheckConstraints() {
  if (!is_open_) return NoTransaction();
  if (Status ready = Finish(); !ready) return ready;
  return main_->Execute("SET CONSTRAINTS ALL IMMEDIATE", "the new values cannot be kept");
}

Status PostgresStore::WriteAudit(const Plan& plan, AuditRecord record) {
  if (!is_open_) return NoTransaction();
  if (Status ready = Finish(); !ready) return ready;
  auto table = FindAuditTable(*main_, plan);
  if (!table) return std::move(table).error();
  if (Status written = InsertAudit(*main_, *table, record); !written) return written;
  table->is_there = true;
  audit_mark_ = {.table = std::move(*table), .id = std::move(record.id)};
  return {};
}

Result<std::optional<AuditRecord>> PostgresStore::FindAudit(const Plan& plan, std::string_view id) {
  if (is_open_) return Error(ErrorCode::kInternal, "a transaction is open");
  if (Status begun = BeginLooking(); !begun) return std::move(begun).error();
  Result<std::optional<AuditRecord>> record = std::optional<AuditRecord>();
  if (auto table = FindAuditTable(*main_, plan)) {
    record = SelectAudit(*main_, *table, id);
  } else {
    record = std::move(table).error();
  }
  EndLooking();
  return record;
}

CommitResult PostgresStore::Commit() {
  Status ready = is_open_ ? Finish() : NoTransaction();
  bool is_ready = ready.has_value();
  {
    const std::lock_guard lock(mutex_);
    if (is_ready && is_cancelled_) {
      ready = CancelledError();
      is_ready = false;
    }
    is_committing_ = is_ready;
  }
  if (!is_ready) {
    Rollback();
    return {CommitOutcome::kRolledBack, ready.error()};
  }
  CommitResult result = CommitTransaction(*main_, audit_mark_);
  if (result.outcome == CommitOutcome::kUnknown || main_->IsLost()) main_->Close();
  Rollback();
  return result;
}

Result<bool> PostgresStore::IsBusy() {
  if (Status begun = BeginLooking(); !begun) return std::move(begun).error();
  auto held = IsAdvisoryLockHeld(*main_);
  EndLooking();
  return held;
}

void PostgresStore::ShowProgress(std::string_view text) {
  if (!is_open_) return;
  const std::string sql = "SET LOCAL application_name = " + QuotedText(text);
  // Whatever is wrong with the connection, the next update tells.
  Status shown;
  if (writer_->is_active()) {
    shown = writer_->Run(sql);
  } else if (PQtransactionStatus(main_->get()) == PQTRANS_INTRANS) {
    shown = main_->Execute(sql, "");
  }
  static_cast<void>(shown.has_value());
}

Status PostgresStore::ScrubStorage(std::span<const Target> targets,
                                   const std::function<void(const Target&)>& each) {
  if (is_open_) return Error(ErrorCode::kInternal, "a transaction is open");
  if (Status begun = BeginLooking(); !begun) return begun;
  EndLooking();
  return RewriteTables(*main_, targets, usual_lock_timeout_, each);
}

void PostgresStore::Cancel() noexcept {
  const std::lock_guard lock(mutex_);
  // A commit is not to be cut off: whether it was done would be unknown.
  if (is_committing_) return;
  is_cancelled_ = true;
  main_->Cancel();
  if (reader_) reader_->Cancel();
}

}  // namespace qarion::secrets::rotate::postgres
