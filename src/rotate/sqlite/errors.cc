#include "rotate/sqlite/errors.h"

#include <sqlite3.h>

#include <array>
#include <cstring>
#include <utility>

#include "core/ascii.h"
#include "core/utf8.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

constexpr std::size_t kMostText = 500;

struct Meaning {
  int code;  // a result code, or the primary one of several
  ErrorCode error;
  const char* text;  // null: what SQLite says
  const char* cure;
};

constexpr char kNeedsApplication[] =
    "a trigger, a constraint or an index needs what only its application brings along: drop it for "
    "the time of the rotation, or take the table out of the plan";

// The first that fits counts.
constexpr std::array kMeanings = {
    Meaning{SQLITE_BUSY, ErrorCode::kTryAgain,
            "another connection, such as a second rotation, has a lock on the database",
            "run it again when its transaction has ended, or give it more time"},
    Meaning{SQLITE_LOCKED, ErrorCode::kTryAgain, nullptr, "run it again"},
    Meaning{SQLITE_FULL, ErrorCode::kIo, "the disk is full",
            "make room on the disk of the database and of temporary files, then run it again"},
    Meaning{SQLITE_READONLY_DIRECTORY, ErrorCode::kNotPermitted,
            "no file can be made beside the database, which its journal needs",
            "let the user of this process write to the directory of the database"},
    Meaning{SQLITE_READONLY, ErrorCode::kNotPermitted, "the database may not be written",
            "let the user of this process write to the file and its directory"},
    Meaning{SQLITE_PERM, ErrorCode::kNotPermitted, nullptr,
            "let the user of this process open the file and its directory"},
    Meaning{SQLITE_AUTH, ErrorCode::kNotPermitted, nullptr, "take it out of the plan"},
    Meaning{SQLITE_CANTOPEN, ErrorCode::kNotPermitted,
            "the database or a file beside it (-journal, -wal, -shm) cannot be opened or made",
            "let the user of this process write to the file and its directory"},
    Meaning{SQLITE_NOTADB, ErrorCode::kConfiguration,
            "the file is no database of SQLite, or is encrypted as a whole",
            "give the path of the database; a file that is encrypted as a whole cannot be rotated"},
    Meaning{SQLITE_CORRUPT, ErrorCode::kBadData, "the database is damaged",
            "look at it with PRAGMA integrity_check; restore a backup, or use .recover"},
    Meaning{SQLITE_TOOBIG, ErrorCode::kBadData, "a value is too large",
            "take the row out of the plan with `where`"},
    Meaning{SQLITE_IOERR, ErrorCode::kIo, nullptr,
            "see the system's log: a file cannot be used, or may not grow (a quota, ulimit -f)"},
    Meaning{SQLITE_NOMEM, ErrorCode::kUnavailable, "there is too little memory",
            "give the process more memory, then run it again"},
};

// What a constraint is called in SQLite's message, which has no values in it. Triggers write their
// own messages, and are not repeated.
std::string Refusal(int code, const std::string& message) {
  std::string refusal = "the database refuses a value";
  if (code == SQLITE_CONSTRAINT_TRIGGER) return refusal + ", in a trigger";
  if (code == SQLITE_CONSTRAINT_FUNCTION || code == SQLITE_CONSTRAINT_VTAB) return refusal;
  return refusal + ": " + message;
}

Error StatementError(const std::string& what, const std::string& message) {
  for (const char* needed : {"no such function", "no such collation sequence", "unsafe use of",
                             "no such module", "unknown function"}) {
    if (!message.starts_with(needed)) continue;
    return Error(ErrorCode::kConfiguration, what + ": " + message).Cure(kNeedsApplication);
  }
  return Error(ErrorCode::kConfiguration, what + ": " + message).Cure("mend the plan");
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kMostText)) {
    if (c != ' ' && !core::IsControl(c)) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  // Half of a character where it was cut, or text that is none.
  while (const auto invalid = core::FindInvalidUtf8(line)) line[*invalid] = '?';
  while (line.ends_with(' ')) line.pop_back();
  if (text.size() > kMostText) line += "...";
  return line;
}

Error WrongTable(const std::string& title, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, title + " " + problem)
      .With("table", title)
      .Cure(std::move(cure));
}

Error CancelledError() {
  return Error(ErrorCode::kTryAgain, "the work on the database was cancelled")
      .Cure("run it again when it may take its time");
}

Error SqliteError(sqlite3* database, int code, const std::string& what) {
  const int primary = code & 0xff;
  if (primary == SQLITE_INTERRUPT) return CancelledError();
  std::string message = OneLine(sqlite3_errmsg(database));
  const int cause = primary == SQLITE_IOERR ? sqlite3_system_errno(database) : 0;
  if (cause != 0) message += std::string(": ") + std::strerror(cause);
  if (primary == SQLITE_CONSTRAINT) {
    return Error(ErrorCode::kBadData, what + ": " + Refusal(code, message))
        .Cure("mend the row or the rule");
  }
  if (primary == SQLITE_ERROR) return StatementError(what, message);
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != code && meaning.code != primary) continue;
    return Error(meaning.error, what + ": " + (meaning.text == nullptr ? message : meaning.text))
        .Cure(meaning.cure);
  }
  return Error(ErrorCode::kInternal,
               what + ": " + message + " (SQLite, " + std::to_string(code) + ")")
      .Cure("report it");
}

}  // namespace qarion::secrets::rotate::sqlite
