#include "rotate/postgres/commit.h"

#include <libpq-fe.h>
#include <poll.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "rotate/postgres/connect.h"
#include "rotate/postgres/errors.h"

namespace qarion::secrets::rotate::postgres {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kAskFor{5};
constexpr std::chrono::milliseconds kPause{100};
constexpr char kCommit[] = "the transaction cannot be committed";

// The transaction's number; empty where it has changed nothing.
Result<std::string> NumberOf(Connection& connection) {
  auto number = connection.Query("SELECT pg_catalog.txid_current_if_assigned()", {}, kCommit);
  if (!number) return std::move(number).error();
  return number->Text(0, 0);
}

bool IsThere(Connection& connection, const AuditMark& mark) {
  // A table that was made in the transaction is there only if it was committed.
  auto record = SelectAudit(connection, mark.table, mark.id);
  return record && *record;
}

// What a further connection sees of it; nothing where that is not decided yet.
//
// The number proves less than the row: a standby that took over, or a server that lost the end of
// its log, may have given it to another transaction.
std::optional<CommitOutcome> Ask(Connection& connection, const std::string& number,
                                 const std::optional<AuditMark>& mark) {
  if (mark && IsThere(connection, *mark)) return CommitOutcome::kCommitted;
  auto status = connection.Query(
      "SELECT pg_catalog.txid_status($1::int8), pg_catalog.pg_is_in_recovery()", {number}, kCommit);
  // A standby may not know yet.
  if (!status || status->IsTrue(0, 1)) return std::nullopt;
  if (status->Get(0, 0) == "aborted") return CommitOutcome::kRolledBack;
  if (status->Get(0, 0) != "committed") return std::nullopt;
  // It may have been done since the row was looked for.
  if (!mark || IsThere(connection, *mark)) return CommitOutcome::kCommitted;
  return CommitOutcome::kUnknown;
}

CommitOutcome FindOut(const Connection& lost, const std::string& number,
                      const std::optional<AuditMark>& mark) {
  const auto deadline = steady_clock::now() + kAskFor;
  std::unique_ptr<Connection> connection;
  while (true) {
    if (!connection || connection->IsLost()) {
      auto made = ConnectLike(lost, SameServer::kNo, kAskFor);
      connection = made ? std::move(*made) : nullptr;
    }
    if (connection) {
      if (const auto outcome = Ask(*connection, number, mark)) return *outcome;
    }
    if (steady_clock::now() + kPause >= deadline) return CommitOutcome::kUnknown;
    poll(nullptr, 0, static_cast<int>(kPause.count()));
  }
}

}  // namespace

CommitResult CommitTransaction(Connection& connection, const std::optional<AuditMark>& mark) {
  const auto number = NumberOf(connection);
  if (!number) return {CommitOutcome::kRolledBack, number.error()};
  const ResultHandle result(PQexec(connection.get(), "COMMIT"));
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
    // A transaction that had failed already is rolled back by COMMIT, without an error.
    if (std::string_view(PQcmdStatus(result.get())) == "COMMIT") {
      return {CommitOutcome::kCommitted, std::nullopt};
    }
    return {CommitOutcome::kRolledBack,
            Error(ErrorCode::kInternal, "the database rolled the transaction back at its commit")
                .Cure("see the server's log")};
  }
  Error error = CommandError(connection.get(), result.get(), kCommit);
  // Only what the server answers says that it did not: libpq may have had no memory for its answer.
  // Without a number it had changed nothing.
  const bool is_answered = !connection.IsLost() && !SqlState(result.get()).empty();
  if (is_answered || number->empty()) {
    return {CommitOutcome::kRolledBack, std::move(error)};
  }
  switch (FindOut(connection, *number, mark)) {
    case CommitOutcome::kCommitted: return {CommitOutcome::kCommitted, std::nullopt};
    case CommitOutcome::kRolledBack: return {CommitOutcome::kRolledBack, std::move(error)};
    case CommitOutcome::kUnknown: break;
  }
  return {
      CommitOutcome::kUnknown,
      Error(ErrorCode::kUnavailable,
            std::string(connection.IsLost() ? "the connection to the database was lost while it "
                                              "committed"
                                            : "the answer of the database to the commit cannot be "
                                              "read") +
                ", and it cannot say whether it did")
          .Cure("find out with `" +
                (mark ? "qsecrets rotate encryption-key verify --rotation " + mark->id
                      : std::string("qsecrets rotate encryption-key verify")) +
                "` when it answers again; keep both keys until then")};
}

}  // namespace qarion::secrets::rotate::postgres
