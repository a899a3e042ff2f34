// Loads the module of a database.
#pragma once

#include <memory>

#include "qarion/secrets/result.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate {

// Opens the database by the module that knows it, which is loaded when it is used for the first
// time and stays for good: SQLite for an address that begins with "sqlite:", else PostgreSQL.
// kConfiguration: the module is missing, not to be trusted (see runtime::FindTrustedFile), cannot
// be loaded or is of another build. Else the module's own error.
Result<std::unique_ptr<Store>> OpenStore(const StoreAddress& address);

}  // namespace qarion::secrets::rotate
