// Transactions that nothing but their own work ends, and the locks they take.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "qarion/secrets/result.h"
#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/connection.h"

namespace qarion::secrets::rotate::postgres {

// "qarotate": the advisory lock that one rotation in a database holds at a time.
inline constexpr char kAdvisoryLock[] = "8169937022046270565";

enum class Access {
  kWrite,     // READ COMMITTED: each command sees what the ones before it did
  kSnapshot,  // REPEATABLE READ, READ ONLY
};

// As the server has it, for which zero is no limit.
inline std::chrono::milliseconds ServerLockTimeout(std::chrono::milliseconds timeout) {
  return std::max(timeout, std::chrono::milliseconds(1));
}

// Whether a lock was not to be had in time.
bool IsLockTimeout(const Error& error);

// Of the transaction that is open.
Status SetLockTimeout(Connection& connection, std::chrono::milliseconds timeout);

// Begins with settings of its own: no time limit but `lock_timeout`; row-level security is an error
// where it would hide rows.
Status BeginTransaction(Connection& connection, Access access,
                        std::chrono::milliseconds lock_timeout);

// The same, with the snapshot that another transaction exported; rows are read in the order of the
// table.
Status BeginWithSnapshot(Connection& connection, const std::string& snapshot,
                         std::chrono::milliseconds lock_timeout);

// kConfiguration: the server is a standby.
Status CheckPrimary(Connection& connection);

Error OtherRotation();

// kTryAgain: another rotation has it.
Status TakeAdvisoryLock(Connection& connection);

// Whether somebody has it.
Result<bool> IsAdvisoryLockHeld(Connection& connection);

enum class LockMode {
  kBarWriters,      // SHARE ROW EXCLUSIVE: readers never wait
  kBarAlterations,  // ACCESS SHARE: nobody waits but who alters or drops a table
};

// Locks the tables in an order that is always the same, for kBarWriters the partitioned ones above
// them too. kTryAgain: others hold one for longer than the transaction's `lock_timeout`; the error
// names them as far as the server tells.
Status LockTables(Connection& connection, const Resolved& resolved, LockMode mode);

}  // namespace qarion::secrets::rotate::postgres
