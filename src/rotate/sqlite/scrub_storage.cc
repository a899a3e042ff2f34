#include "rotate/sqlite/scrub_storage.h"

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <utility>

#include "rotate/sqlite/disk.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

std::string What(const Connection& connection) {
  return OneLine(connection.path()) + " cannot be written anew";
}

Status CheckRoomAt(const Connection& connection, const std::string& place, std::uint64_t needed) {
  const auto free = FreeBytes(place);
  if (!free || *free >= needed) return {};
  return Error(ErrorCode::kIo, What(connection) + ": " + Megabytes(needed) + " are needed at " +
                                   OneLine(place) + ", " + Megabytes(needed - *free) +
                                   " more than are free")
      .Cure("make room there, or set SQLITE_TMPDIR to another directory for temporary files");
}

// Where SQLite would make the copy.
std::string TemporaryDirectory(const Connection& connection) {
  char* name = nullptr;
  sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_TEMPFILENAME,
                       static_cast<void*>(&name));
  const std::string path = name == nullptr ? "" : name;
  sqlite3_free(name);
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? connection.path() : path.substr(0, slash + 1);
}

// A copy is made among temporary files, and then written back: to the log or, after the old pages
// have gone to the journal, into the file.
Status CheckRoom(const Connection& connection) {
  const std::uint64_t bytes = FileBytes(connection.path());
  const std::string temporary = TemporaryDirectory(connection);
  if (Status checked = CheckRoomAt(connection, temporary, bytes); !checked) return checked;
  return CheckRoomAt(connection, connection.path(), 2 * bytes);
}

Status TruncateLog(Connection& connection) {
  const auto is_busy = connection.Number("PRAGMA main.wal_checkpoint(TRUNCATE)", What(connection));
  if (!is_busy) return is_busy.error();
  if (*is_busy == 0) return {};
  return Error(ErrorCode::kTryAgain, OneLine(connection.path()) +
                                         "-wal keeps old values: another connection still reads it")
      .Cure("run it again when long reads have ended");
}

}  // namespace

Status RewriteDatabase(Connection& connection) {
  if (connection.IsReadOnly()) {
    return Error(ErrorCode::kNotPermitted, What(connection) + ": it may not be written")
        .Cure("let the user of this process write to the file and its directory");
  }
  if (Status room = CheckRoom(connection); !room) return room;
  Status done = connection.Execute("VACUUM main", What(connection));
  if (!done) return done;
  const auto is_write_ahead = connection.IsWriteAhead();
  if (!is_write_ahead) return is_write_ahead.error();
  return *is_write_ahead ? TruncateLog(connection) : done;
}

}  // namespace qarion::secrets::rotate::sqlite
