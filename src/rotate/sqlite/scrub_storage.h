// Writes a database anew, so that nothing of what was deleted or overwritten stays in its files.
#pragma once

#include "qarion/secrets/result.h"
#include "rotate/sqlite/connection.h"

namespace qarion::secrets::rotate::sqlite {

// VACUUM, with deleted content overwritten, and a write-ahead log of no bytes. It gives
// rows of tables that have neither an INTEGER PRIMARY KEY nor an index new rowids. kIo: there is
// not room enough; needed is twice the size of the file, and once in the directory of temporary
// files. kTryAgain: others use the database.
Status RewriteDatabase(Connection& connection);

}  // namespace qarion::secrets::rotate::sqlite
