// What SQLite says, as errors for operators.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

struct sqlite3;

namespace qarion::secrets::rotate::sqlite {

// Text of SQLite or of a row on one line, without control characters, at most 500 bytes.
std::string OneLine(std::string_view text);

// Of the call on this connection that gave `code`. `what` begins the reason: "instances cannot be
// read". Values of rows are never repeated.
Error SqliteError(sqlite3* database, int code, const std::string& what);

// kConfiguration: `title`, a table or a column, is not what the plan takes it for.
Error WrongTable(const std::string& title, const std::string& problem, std::string cure);

// For what goes on after Cancel().
Error CancelledError();

}  // namespace qarion::secrets::rotate::sqlite
