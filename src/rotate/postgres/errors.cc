#include "rotate/postgres/errors.h"

#include <libpq-fe.h>

#include <array>
#include <utility>

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr std::size_t kMostText = 500;

std::string ErrorField(const pg_result* result, int field) {
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, field);
  return text == nullptr ? std::string() : OneLine(text);
}

// "public.instances", where the server says which table it is about.
std::string TableIn(const pg_result* result) {
  const std::string table = ErrorField(result, PG_DIAG_TABLE_NAME);
  if (table.empty()) return {};
  return ErrorField(result, PG_DIAG_SCHEMA_NAME) + "." + table;
}

// The functions of triggers that were at work: their names alone, for the rest of the context
// quotes statements with the values in them.
std::string FunctionIn(const pg_result* result) {
  constexpr std::string_view kBefore = " function ";
  const std::string context = ErrorField(result, PG_DIAG_CONTEXT);
  const std::size_t begin = context.find(kBefore);
  if (begin == std::string::npos) return {};
  const std::size_t end = context.find(')', begin);
  if (end == std::string::npos) return {};
  return context.substr(begin + kBefore.size(), end + 1 - begin - kBefore.size());
}

// What an error is about, without what it says.
std::string Place(const pg_result* result) {
  const std::string state(SqlState(result));
  std::string place;
  if (const auto table = TableIn(result); !table.empty()) place += " of " + table;
  if (const auto column = ErrorField(result, PG_DIAG_COLUMN_NAME); !column.empty()) {
    place += ", column " + column;
  }
  if (const auto constraint = ErrorField(result, PG_DIAG_CONSTRAINT_NAME); !constraint.empty()) {
    place += ", by the constraint " + constraint;
  }
  if (const auto function = FunctionIn(result); !function.empty()) {
    place += ", in the function " + function;
  }
  if (state == "22001") place += ", which is longer than its column";
  return place + " (SQLSTATE " + state + ")";
}

// By RAISE, with a SQLSTATE and a text of its author's choice.
bool IsRaisedAtWill(const pg_result* result) {
  return ErrorField(result, PG_DIAG_SOURCE_FUNCTION) == "exec_stmt_raise";
}

// Whoever writes a function chooses the SQLSTATE too that it raises; in which language it is
// written, the context tells.
bool IsRaisedByFunction(const pg_result* result) {
  return !FunctionIn(result).empty() || IsRaisedAtWill(result) ||
         !ErrorField(result, PG_DIAG_CONTEXT).empty();
}

// What the server says, unless it may be a function that says it.
std::string Message(const pg_result* result) {
  const std::string state(SqlState(result));
  if (!IsRaisedByFunction(result)) {
    return ErrorField(result, PG_DIAG_MESSAGE_PRIMARY) + " (SQLSTATE " + state + ")";
  }
  // Its context is the row then that is waited for.
  const bool is_locked = state == "55P03" && !IsRaisedAtWill(result);
  return (is_locked ? "another transaction has locked a row or a table" : "an error") +
         Place(result);
}

// It is not the plan's statement that the server takes offence at.
std::string CureOfFunction(const pg_result* result) {
  const std::string function = FunctionIn(result);
  return "see what the triggers of the table do" +
         (function.empty() ? "" : ", and mend the function " + function);
}

struct Meaning {
  std::string_view states;  // a SQLSTATE, or how a class of them begins
  ErrorCode code;
  const char* cure;
};

// Errors of the server itself, whose messages name things and hold no values. The first that fits
// counts.
constexpr std::array kMeanings = {
    Meaning{
        "55P03", ErrorCode::kTryAgain,
        "run it again when the transactions that hold the lock have ended, or give it more time"},
    Meaning{"55000", ErrorCode::kConfiguration,
            "bring it into the state that the server asks for; a published table needs a replica "
            "identity (ALTER TABLE ... REPLICA IDENTITY)"},
    Meaning{"27", ErrorCode::kBadData,
            "see what the triggers of the table do: one updates rows that are being updated"},
    Meaning{"40P01", ErrorCode::kTryAgain,
            "run it again: it met another transaction in a deadlock"},
    Meaning{"40", ErrorCode::kTryAgain, "run it again"},
    Meaning{"42501", ErrorCode::kNotPermitted,
            "grant the role what it lacks, or connect as the owner of the tables"},
    Meaning{"53100", ErrorCode::kIo,
            "make room on the disk of the database's server, then run it again"},
    Meaning{"53200", ErrorCode::kUnavailable, "give the database's server more memory"},
    Meaning{"53400", ErrorCode::kIo, "raise the limit that the database names"},
    Meaning{"53", ErrorCode::kUnavailable, "see the server's log, then run it again"},
    Meaning{"08", ErrorCode::kUnavailable, "see the server's log, then run it again"},
    Meaning{"57P", ErrorCode::kUnavailable,
            "wait until the server accepts connections, then run it again"},
    Meaning{"58", ErrorCode::kIo, "see the server's log: it cannot use its files"},
    Meaning{"25006", ErrorCode::kConfiguration,
            "connect to the primary server: this one accepts no changes"},
    Meaning{"54000", ErrorCode::kConfiguration,
            "take rows with values near 1 GiB out of the plan with `where`: PostgreSQL can send "
            "no row of more than 1 GiB"},
    Meaning{"3D000", ErrorCode::kConfiguration, "name a database that exists"},
    Meaning{"3F000", ErrorCode::kConfiguration, "name a schema that exists"},
    Meaning{"42", ErrorCode::kConfiguration, "mend the plan"},
    Meaning{"0A", ErrorCode::kInternal, "see the server's log"},
    Meaning{"25", ErrorCode::kInternal, "see the server's log"},
    Meaning{"3B", ErrorCode::kInternal, "see the server's log"},
    Meaning{"54", ErrorCode::kInternal, "see the server's log"},
    Meaning{"55", ErrorCode::kInternal, "see the server's log"},
    Meaning{"F0", ErrorCode::kInternal, "see the server's log"},
    Meaning{"XX", ErrorCode::kInternal, "see the server's log"},
};

}  // namespace

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kMostText)) {
    const bool is_blank = static_cast<unsigned char>(c) < 0x21 || c == 0x7f;
    if (!is_blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  if (text.size() > kMostText) line += "...";
  return line;
}

std::string_view SqlState(const pg_result* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : std::string_view(state);
}

Error WantOfMemory(const std::string& what) {
  return Error(ErrorCode::kUnavailable, what + ": there is too little memory")
      .Cure("give this process more memory, then run it again");
}

Error CancelledError() {
  return Error(ErrorCode::kTryAgain, "the work on the database was cancelled")
      .Cure("run it again when it may take its time");
}

Error CommandError(const pg_conn* connection, const pg_result* result, const std::string& what) {
  const std::string_view state = SqlState(result);
  if (state.empty()) {
    // Its first line: what follows are libpq's guesses.
    const std::string_view text = PQerrorMessage(connection);
    const std::string message = OneLine(text.substr(0, text.find('\n')));
    for (const char* const sign : {"out of memory", "cannot allocate memory"}) {
      if (message.find(sign) != std::string::npos) return WantOfMemory(what);
    }
    const bool is_lost = PQstatus(connection) != CONNECTION_OK;
    return Error(
               is_lost ? ErrorCode::kUnavailable : ErrorCode::kInternal,
               what + ": " + (is_lost ? "the connection to the database was lost: " : "") + message)
        .Cure(is_lost ? "see the server's log, then run it again" : "report it");
  }
  if (state == "57014") return CancelledError();
  for (const Meaning& meaning : kMeanings) {
    if (!state.starts_with(meaning.states)) continue;
    const bool is_of_function =
        meaning.code == ErrorCode::kConfiguration && IsRaisedByFunction(result);
    return Error(meaning.code, what + ": " + Message(result))
        .With("sqlstate", std::string(state))
        .Cure(is_of_function ? CureOfFunction(result) : meaning.cure);
  }
  // Data and constraints, and what triggers raise.
  return Error(ErrorCode::kBadData, what + ": the database refuses a value" + Place(result))
      .With("sqlstate", std::string(state))
      .Cure("mend the row or the rule; the server's log has the details");
}

}  // namespace qarion::secrets::rotate::postgres
