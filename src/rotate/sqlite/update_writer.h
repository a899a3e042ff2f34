// Writes new values into rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/keyed_rows.h"
#include "rotate/sqlite/statement.h"
#include "rotate/store.h"

struct sqlite3_context;
struct sqlite3_value;

namespace qarion::secrets::rotate::sqlite {

// One UPDATE writes a whole batch: it goes over the range of rowids in which the batch is, and asks
// functions that are defined here for the new values. That is three times as fast as an UPDATE for
// each row, which tables WITHOUT ROWID get.
//
// Thread-safety: as of the connection, which must outlive it.
class UpdateWriter {
 public:
  explicit UpdateWriter(Connection& connection);
  ~UpdateWriter();
  UpdateWriter(const UpdateWriter&) = delete;
  UpdateWriter& operator=(const UpdateWriter&) = delete;

  // Whether rows of the table can be written at all. kConfiguration: a trigger or a constraint
  // needs what only the application has.
  Status Prepare(const Table& table);

  // A value stays of the class that it is of, text or BLOB. `index` knows the rows of a table
  // WITHOUT ROWID. kInternal: not every row was there. kTryAgain: in the end the database must be
  // had without readers, and was not. kBadData: a constraint or a trigger refuses a value.
  Status Write(const Table& table, const KeyIndex* index, const UpdateBatch& batch);

 private:
  // Called by SQLite. place(rowid): where in the batch the row is, or null. value(place, column,
  // old): what to write.
  static void Place(sqlite3_context* context, int count, sqlite3_value** arguments) noexcept;
  static void NewValue(sqlite3_context* context, int count, sqlite3_value** arguments) noexcept;

  Result<Statement*> StatementFor(const Table& table);
  Status WriteRange(const Table& table, Statement& update);
  Status WriteEach(const Table& table, const KeyIndex& index, Statement& update);
  std::optional<std::size_t> Find(std::int64_t rowid) noexcept;

  Connection& connection_;
  std::map<std::string, Statement> statements_;               // by the name of the table
  const UpdateBatch* batch_ = nullptr;                        // while Write() works
  std::vector<std::pair<std::int64_t, std::size_t>> places_;  // by the rowid, in its order
  std::size_t last_ = 0;                                      // in places_: what was found last
};

}  // namespace qarion::secrets::rotate::sqlite
