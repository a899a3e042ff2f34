#include "rotate/sqlite/preflight.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "core/join.h"
#include "rotate/sqlite/disk.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

class Examiner {
 public:
  Examiner(Connection& connection, std::span<const Table> tables)
      : connection_(connection), tables_(tables), path_(connection.path()) {}

  std::vector<Finding> Examine() {
    AddFile();
    for (const Table& table : tables_) AddEffects(table);
    AddJournal();
    AddDisk();
    Add("backups", "copies of " + path_ + " hold values that only the old key opens",
        "make one now, and keep the old key for as long as the last of them");
    return std::move(findings_);
  }

 private:
  void Add(std::string subject, std::string problem, std::string cure,
           Severity severity = Severity::kWarning) {
    findings_.push_back({severity, std::move(subject), std::move(problem), std::move(cure)});
  }
  void AddFile();
  void AddEffects(const Table& table);
  void AddJournal();
  void AddDisk();
  std::vector<std::string> IndexesAt(const std::set<std::int64_t>& pages);

  Connection& connection_;
  std::span<const Table> tables_;
  const std::string path_;
  std::vector<Finding> findings_;
};

void Examiner::AddFile() {
  struct stat status{};
  if (stat(path_.c_str(), &status) != 0) return;
  if ((status.st_mode & S_IWOTH) != 0) {
    Add(path_, "may be written by every user of the machine", "chmod o-rw it");
  } else if ((status.st_mode & S_IROTH) != 0) {
    Add(path_, "may be read by every user of the machine", "chmod o-r it");
  }
}

// SQLite's own program for the update says what else it writes to, and which triggers it runs.
void Examiner::AddEffects(const Table& table) {
  std::string update = "EXPLAIN UPDATE " + QuotedTable(table.target.name) + " SET ";
  for (const std::string& column : table.columns) {
    update += (&column == table.columns.data() ? "" : ", ") + QuotedName(column) + " = " +
              QuotedName(column);
  }
  auto program = Statement::Prepare(connection_, update, table.Title() + " cannot be written");
  if (!program) {
    // It would not go better later.
    return Add(table.Title(), program.error().reason(), program.error().cure(), Severity::kError);
  }
  constexpr std::string_view kTrigger = "-- TRIGGER ";
  std::vector<std::string> triggers;
  std::set<std::int64_t> pages;
  while (true) {
    const auto is_row = program->Step();
    if (!is_row || !*is_row) break;
    const std::string_view remark = program->Bytes(5);
    if (remark.starts_with(kTrigger)) triggers.emplace_back(remark.substr(kTrigger.size()));
    // What triggers write to comes after them.
    if (triggers.empty() && program->Bytes(1) == "OpenWrite") pages.insert(program->Number(3));
  }
  if (!triggers.empty()) {
    Add(table.Title(), "the triggers " + core::Join(triggers) + " run for each row that is written",
        "see whether they may: what they copy, an audit log for one, is not rotated with it");
  }
  const std::vector<std::string> indexes = IndexesAt(pages);
  if (!indexes.empty()) {
    Add(table.Title(),
        "the indexes " + core::Join(indexes) +
            " are on encrypted columns, which slows every update",
        "drop them if nobody needs them: nothing can be found by an encrypted value");
  }
}

std::vector<std::string> Examiner::IndexesAt(const std::set<std::int64_t>& pages) {
  std::vector<std::string> names;
  auto rows = Statement::Prepare(
      connection_,
      "SELECT name, rootpage FROM main.sqlite_schema WHERE type = 'index' ORDER BY name", "");
  while (rows) {
    const auto is_row = rows->Step();
    if (!is_row || !*is_row) break;
    if (pages.contains(rows->Number(1))) names.push_back(rows->Text(0));
  }
  return names;
}

void Examiner::AddJournal() {
  const auto is_write_ahead = connection_.IsWriteAhead();
  if (!is_write_ahead) return;
  if (!*is_write_ahead) {
    return Add(path_,
               "is not in WAL mode: who reads it waits while the changes are written, and who does "
               "not stop reading makes the rotation fail",
               "PRAGMA journal_mode = WAL, if the service may use it");
  }
  const std::uint64_t bytes = FileBytes(path_ + "-wal");
  if (bytes > 0) {
    Add(path_ + "-wal",
        "holds " + Megabytes(bytes) + " of changes, with old values, until it is written anew",
        "--scrub-storage truncates it afterwards");
  }
}

// Each page that changes is in the journal, or in the write-ahead log, until the end.
void Examiner::AddDisk() {
  std::uint64_t needed = 0;
  for (const Table& table : tables_) needed = std::max(needed, table.target.bytes);  // of the file
  const auto free = FreeBytes(path_);
  if (!free || *free >= needed) return;
  Add(path_,
      "up to " + Megabytes(needed) + " more are needed beside it until the end, " +
          Megabytes(needed - *free) + " more than are free",
      "make room on its disk", Severity::kError);
}

}  // namespace

Status CheckMayWrite(const Connection& connection) {
  const std::string& path = connection.path();
  if (connection.IsReadOnly()) {
    return Error(ErrorCode::kNotPermitted,
                 OneLine(path) + " may not be written by the user of this process")
        .Cure("let it write to the file and its directory");
  }
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  if (access(directory.c_str(), W_OK) == 0) return {};
  return Error(ErrorCode::kNotPermitted,
               "the user of this process may not write to the directory " + OneLine(directory) +
                   ", and must make a journal there")
      .Cure("let it write to the directory");
}

std::vector<Finding> ExamineDatabase(Connection& connection, std::span<const Table> tables) {
  return Examiner(connection, tables).Examine();
}

}  // namespace qarion::secrets::rotate::sqlite
