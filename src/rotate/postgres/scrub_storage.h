// Takes old versions of rows out of the files of tables.
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "qarion/secrets/result.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

// VACUUM FULL of each, with proof that it was done. kNotPermitted: only the owner may. kTryAgain: a
// table is in use, or old versions had to be kept for a transaction that might still look at them.
Status RewriteTables(Connection& connection, std::span<const Target> targets,
                     std::chrono::milliseconds lock_timeout,
                     const std::function<void(const Target&)>& each);

}  // namespace qarion::secrets::rotate::postgres
