#include "rotate/postgres/scrub_storage.h"

#include <libpq-fe.h>

#include <charconv>
#include <cstdint>
#include <string>

#include "rotate/postgres/names.h"
#include "rotate/postgres/transaction.h"

namespace qarion::secrets::rotate::postgres {
namespace {

// What VACUUM (VERBOSE) tells: "2 dead row versions cannot be removed yet." begins a detail of it,
// in the server's language, so that the number alone is looked at.
void CountKept(void* kept, const PGresult* notice) {
  const char* detail = PQresultErrorField(notice, PG_DIAG_MESSAGE_DETAIL);
  if (detail == nullptr) return;
  const std::string_view text = detail;
  const std::size_t digit = text.find_first_of("0123456789");
  if (digit == std::string_view::npos) return;
  std::uint64_t rows = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), rows);
  *static_cast<std::uint64_t*>(kept) += rows;
}

Result<std::string> FileOf(Connection& connection, const Target& target) {
  auto file = connection.Query("SELECT pg_catalog.pg_relation_filenode($1::oid)",
                               {std::to_string(target.id)},
                               "the file of " + target.Title() + " cannot be looked up");
  if (!file) return std::move(file).error();
  return file->Text(0, 0);
}

Status Rewrite(Connection& connection, const Target& target) {
  const std::string name = QuotedName(target.schema, target.name);
  const auto before = FileOf(connection, target);
  if (!before) return before.error();
  std::uint64_t kept = 0;
  const PQnoticeReceiver receiver = PQsetNoticeReceiver(connection.get(), CountKept, &kept);
  Status done = connection.Execute("VACUUM (FULL, VERBOSE) " + name,
                                   target.Title() + " cannot be written anew");
  PQsetNoticeReceiver(connection.get(), receiver, nullptr);
  if (!done) return done;
  const auto after = FileOf(connection, target);
  if (!after) return after.error();
  // Whoever may not do it is told so in a warning.
  if (*after == *before) {
    return Error(ErrorCode::kNotPermitted, "only its owner may write " + target.Title() + " anew")
        .With("table", target.Title())
        .Cure("as its owner: VACUUM FULL " + name);
  }
  if (kept == 0) return {};
  return Error(ErrorCode::kTryAgain,
               std::to_string(kept) + " old versions of rows stay in the file of " +
                   target.Title() + ": a transaction that is still open might look at them")
      .With("table", target.Title())
      .Cure(
          "end old transactions, prepared ones and unused replication slots included, and run it "
          "again");
}

}  // namespace

Status RewriteTables(Connection& connection, std::span<const Target> targets,
                     std::chrono::milliseconds lock_timeout,
                     const std::function<void(const Target&)>& each) {
  const auto limit = ServerLockTimeout(lock_timeout);
  Status done = connection.Execute("SET lock_timeout = " + std::to_string(limit.count()),
                                   "the tables cannot be written anew");
  if (done)
    done = connection.Execute("SET statement_timeout = 0", "the tables cannot be written anew");
  for (const Target& target : targets) {
    if (!done) break;
    each(target);
    done = Rewrite(connection, target);
  }
  // The connection may be one of a pool.
  Status reset = connection.Execute("RESET lock_timeout", "");
  if (reset) reset = connection.Execute("RESET statement_timeout", "");
  static_cast<void>(reset.has_value());
  return done;
}

}  // namespace qarion::secrets::rotate::postgres
