#include "rotate/postgres/transaction.h"

#include <libpq-fe.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "rotate/postgres/errors.h"
#include "rotate/postgres/names.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kBegin[] = "the transaction cannot begin";
constexpr int kKnowsTransactionTimeout = 170000;
constexpr char kLockNotAvailable[] = "55P03";

// Local to the transaction: nothing is left in a connection that is pooled. A commit is told when
// it is on disk: what the role sets may be right for its other work.
Status SetLocally(Connection& connection, std::chrono::milliseconds lock_timeout) {
  std::string sql =
      "SELECT pg_catalog.set_config(name, value, true) FROM (VALUES ('statement_timeout', '0'), "
      "('idle_in_transaction_session_timeout', '0'), ('row_security', 'off'), "
      "('synchronize_seqscans', 'off'), ('jit', 'off'), "
      "('lock_timeout', $1), ('synchronous_commit', CASE "
      "pg_catalog.current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
      "ELSE pg_catalog.current_setting('synchronous_commit') END)";
  if (connection.server_version() >= kKnowsTransactionTimeout)
    sql += ", ('transaction_timeout', '0')";
  const auto limit = ServerLockTimeout(lock_timeout);
  auto set = connection.Query(sql + ") AS wanted(name, value)",
                              {std::to_string(limit.count()) + "ms"}, kBegin);
  if (!set) return std::move(set).error();
  return {};
}

// Who has a lock on the table that is in our way.
std::string Holders(Connection& connection, std::uint64_t table, LockMode mode) {
  const std::string modes = mode == LockMode::kBarWriters
                                ? "l.mode NOT IN ('AccessShareLock', 'RowShareLock')"
                                : "l.mode = 'AccessExclusiveLock'";
  auto rows = connection.Query(
      "SELECT DISTINCT l.pid, a.usename, a.application_name, "
      "extract(epoch FROM pg_catalog.now() - a.xact_start)::int "
      "FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
      "WHERE l.relation = $1::oid AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() "
      "AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
      "pg_catalog.current_database()) AND " +
          modes + " ORDER BY 1 LIMIT 3",
      {std::to_string(table)}, "");
  if (!rows) return {};
  std::string holders;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    holders += (i > 0 ? "; " : "") + std::string("process ") + rows->Text(i, 0);
    if (!rows->Get(i, 1).empty()) holders += " of " + rows->Text(i, 1);
    if (!rows->Get(i, 2).empty()) holders += " (" + OneLine(rows->Get(i, 2)) + ")";
    if (!rows->Get(i, 3).empty()) holders += ", in a transaction of " + rows->Text(i, 3) + " s";
  }
  return holders;
}

Error Locked(Connection& connection, const Target& target, LockMode mode) {
  // The transaction is lost with the lock; who holds it is asked outside of it.
  const Status ended = connection.Execute("ROLLBACK", "");
  const std::string holders = ended ? Holders(connection, target.id, mode) : std::string();
  return Error(ErrorCode::kTryAgain, target.Title() + " cannot be locked within the lock timeout" +
                                         (holders.empty() ? "" : ": it is held by " + holders))
      .With("table", target.Title())
      .With("sqlstate", std::string(kLockNotAvailable))
      .Cure(
          "run it again when those transactions have ended, or give it more time with "
          "--lock-timeout");
}

}  // namespace

bool IsLockTimeout(const Error& error) {
  const std::pair<std::string, std::string> state("sqlstate", kLockNotAvailable);
  return std::find(error.context().begin(), error.context().end(), state) != error.context().end();
}

Status SetLockTimeout(Connection& connection, std::chrono::milliseconds timeout) {
  const auto limit = std::to_string(ServerLockTimeout(timeout).count()) + "ms";
  auto set = connection.Query("SELECT pg_catalog.set_config('lock_timeout', $1, true)", {limit},
                              "the lock timeout cannot be set");
  if (!set) return std::move(set).error();
  return {};
}

Status BeginTransaction(Connection& connection, Access access,
                        std::chrono::milliseconds lock_timeout) {
  const char* begin = access == Access::kWrite ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                                               : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  if (Status begun = connection.Execute(begin, kBegin); !begun) return begun;
  return SetLocally(connection, lock_timeout);
}

Status BeginWithSnapshot(Connection& connection, const std::string& snapshot,
                         std::chrono::milliseconds lock_timeout) {
  const std::string what = "the second connection cannot see what the first one sees";
  Status done = connection.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", what);
  // Before anything that would take a snapshot.
  if (done) done = connection.Execute("SET TRANSACTION SNAPSHOT " + QuotedText(snapshot), what);
  // Several workers would give the rows in any order.
  if (done) done = connection.Execute("SET LOCAL max_parallel_workers_per_gather = 0", what);
  if (done) return SetLocally(connection, lock_timeout);
  if (done.error().IsTransient()) return done;
  return Error(done.error().code(), done.error().reason())
      .Cure("connect to the server itself, not to something that spreads connections over several");
}

Status CheckPrimary(Connection& connection) {
  auto standby = connection.Query("SELECT pg_catalog.pg_is_in_recovery()", {}, kBegin);
  if (!standby) return std::move(standby).error();
  if (!standby->IsTrue(0, 0)) return {};
  return Error(ErrorCode::kConfiguration, "the server is a standby, which accepts no changes")
      .Cure(
          "connect to the primary server; with several hosts in the address, "
          "target_session_attrs=read-write finds it");
}

Error OtherRotation() {
  return Error(ErrorCode::kTryAgain, "another rotation is at work in this database")
      .Cure("run it again when that one has ended");
}

Status TakeAdvisoryLock(Connection& connection) {
  auto taken = connection.Query("SELECT pg_catalog.pg_try_advisory_xact_lock($1)", {kAdvisoryLock},
                                "the lock against a second rotation cannot be taken");
  if (!taken) return std::move(taken).error();
  if (taken->IsTrue(0, 0)) return {};
  return OtherRotation();
}

Result<bool> IsAdvisoryLockHeld(Connection& connection) {
  auto rows = connection.Query(
      "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted "
      "AND objsubid = 1 AND classid::int8 = $1::int8 >> 32 AND objid::int8 = $1::int8 & 4294967295 "
      "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = "
      "pg_catalog.current_database()))",
      {kAdvisoryLock}, "locks cannot be looked up");
  if (!rows) return std::move(rows).error();
  return rows->IsTrue(0, 0);
}

Status LockTables(Connection& connection, const Resolved& resolved, LockMode mode) {
  const bool bars_writers = mode == LockMode::kBarWriters;
  std::vector<const Target*> targets;
  for (const Table& table : resolved.tables) targets.push_back(&table.target);
  for (const Target& root : resolved.roots) {
    if (bars_writers) targets.push_back(&root);
  }
  std::sort(targets.begin(), targets.end(), [](const Target* left, const Target* right) {
    return std::tie(left->schema, left->name) < std::tie(right->schema, right->name);
  });
  for (const Target* target : targets) {
    Status locked =
        connection.Execute("LOCK TABLE ONLY " + QuotedName(target->schema, target->name) + " IN " +
                               (bars_writers ? "SHARE ROW EXCLUSIVE" : "ACCESS SHARE") + " MODE",
                           target->Title() + " cannot be locked");
    if (locked) continue;
    return IsLockTimeout(locked.error()) ? Locked(connection, *target, mode)
                                         : std::move(locked).error();
  }
  return {};
}

}  // namespace qarion::secrets::rotate::postgres
