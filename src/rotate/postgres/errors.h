// What PostgreSQL and libpq say, as errors for operators.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

struct pg_conn;
struct pg_result;

namespace qarion::secrets::rotate::postgres {

// Text of a server or of libpq on one line, without control characters, at most 500 bytes.
std::string OneLine(std::string_view text);

// The error's SQLSTATE, or nothing where the server did not say one.
std::string_view SqlState(const pg_result* result);

// Of a command that failed. `what` begins the reason: "public.instances cannot be locked". Values
// of rows are never repeated: neither the details of violated constraints, nor the messages of
// unreadable values and of triggers, which quote them. Shown are the messages of states that are
// known to be the server's own, where no function was at work.
Error CommandError(const pg_conn* connection, const pg_result* result, const std::string& what);

// For what goes on after Cancel().
Error CancelledError();

// libpq's, not the server's.
Error WantOfMemory(const std::string& what);

}  // namespace qarion::secrets::rotate::postgres
