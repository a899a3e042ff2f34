#include "rotate/postgres/preflight.h"

#include <libpq-fe.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/join.h"
#include "rotate/postgres/names.h"

namespace qarion::secrets::rotate::postgres {
namespace {

// What an update writes to the log for each row beside its new version and those of its indexes'
// entries, measured with rows of 270 bytes and two indexes.
constexpr std::uint64_t kLogBytesPerRow = 500;

// Pairs of a table and one of its columns that the plan encrypts: $1 and $2, each with as many.
constexpr char kEncrypted[] = R"sql(
WITH encrypted(relid, attnum) AS (
  SELECT a.attrelid, a.attnum FROM unnest($1::oid[], $2::text[]) AS w(relid, name)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relid AND a.attname = w.name)
)sql";

constexpr char kTriggers[] = R"sql(
SELECT t.tgrelid, t.tgname
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid IN (SELECT relid FROM encrypted) AND NOT t.tgisinternal
  AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0
  AND (cardinality(t.tgattr::int2[]) = 0 OR EXISTS (
    SELECT 1 FROM encrypted e WHERE e.relid = t.tgrelid AND e.attnum = ANY (t.tgattr::int2[])))
ORDER BY 1, 2)sql";

constexpr char kRules[] = R"sql(
SELECT r.ev_class, r.rulename
FROM pg_catalog.pg_rewrite r
WHERE r.ev_class IN (SELECT relid FROM encrypted) AND r.ev_type = '2' AND r.ev_enabled <> 'D'
ORDER BY 1, 2)sql";

// With an index on the column, also in an expression or a condition, every index gets a new entry
// for every row.
constexpr char kIndexes[] = R"sql(
SELECT DISTINCT e.relid, i.relname
FROM encrypted e JOIN pg_catalog.pg_index x ON x.indrelid = e.relid
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE e.attnum = ANY (x.indkey) OR EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
    AND d.objid = x.indexrelid AND d.refobjid = e.relid AND d.refobjsubid = e.attnum)
ORDER BY 1, 2)sql";

constexpr char kPublications[] = R"sql(
SELECT DISTINCT c.oid, p.pubname
FROM pg_catalog.pg_publication_tables p
  JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
WHERE c.oid IN (SELECT relid FROM encrypted)
ORDER BY 1, 2)sql";

class Examiner {
 public:
  Examiner(Connection& connection, const Resolved& found)
      : connection_(connection), found_(found) {}

  std::vector<Finding> Examine();

 private:
  void Add(std::string subject, std::string problem, std::string cure,
           Severity severity = Severity::kWarning) {
    findings_.push_back({severity, std::move(subject), std::move(problem), std::move(cure)});
  }
  std::optional<Rows> Query(const std::string& sql,
                            const std::vector<std::optional<std::string>>& values = {}) {
    auto rows = connection_.Query(sql, values, "");
    if (!rows) return std::nullopt;
    return std::move(*rows);
  }
  // A finding for each table in what `sql` gives: its id, and the name of something.
  void AddForTables(const std::string& sql, const std::string& before, const std::string& after,
                    const std::string& cure);
  std::string SubjectOf(std::uint64_t id) const;
  void AddStandby();
  void AddReplication();
  void AddDisk();
  std::optional<std::uint64_t> FreeBytes();

  Connection& connection_;
  const Resolved& found_;
  std::vector<Finding> findings_;
};

std::string Megabytes(std::uint64_t bytes) {
  constexpr std::uint64_t kMegabyte = 1000 * 1000;
  return std::to_string((bytes + kMegabyte - 1) / kMegabyte) + " MB";
}

std::string Listed(const std::set<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() < kMost) shown.push_back(name);
  }
  std::string list = core::Join(shown);
  if (names.size() > kMost) list += " and " + std::to_string(names.size() - kMost) + " more";
  return list;
}

// The table as the plan names it, for one of its partitions.
std::string Examiner::SubjectOf(std::uint64_t id) const {
  for (const Table& table : found_.tables) {
    if (table.target.id != id) continue;
    for (const Target& root : found_.roots) {
      if (root.table == table.target.table) return root.Title();
    }
    return table.target.Title();
  }
  return "the tables";
}

void Examiner::AddForTables(const std::string& sql, const std::string& before,
                            const std::string& after, const std::string& cure) {
  std::string oids = "{";
  std::vector<std::string> columns;
  for (const Table& table : found_.tables) {
    for (const Column& column : table.columns) {
      oids += (oids.size() > 1 ? "," : "") + std::to_string(table.target.id);
      columns.push_back(column.name);
    }
  }
  const auto rows = Query(kEncrypted + sql, {oids + "}", ArrayText(columns)});
  if (!rows) return;
  // Partitions have much in common: it is said once, of their table.
  std::map<std::string, std::set<std::string>> names;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    names[SubjectOf(rows->Number(i, 0))].insert(rows->Text(i, 1));
  }
  for (const auto& [subject, found] : names) {
    Add(subject, before + Listed(found) + after, cure);
  }
}

void Examiner::AddStandby() {
  const auto rows = Query("SELECT pg_catalog.pg_is_in_recovery()");
  if (!rows || !rows->IsTrue(0, 0)) return;
  Add("the server", "is a standby, which accepts no changes", "connect to the primary server",
      Severity::kError);
}

void Examiner::AddReplication() {
  const auto replicas = Query("SELECT count(*) FROM pg_catalog.pg_stat_replication");
  if (replicas && replicas->Number(0, 0) > 0) {
    Add("replication",
        replicas->Text(0, 0) + " replicas receive every change, and keep the old values until then",
        "watch their lag; what their own files and logs hold is theirs to remove");
  }
  const auto slots = Query(
      "SELECT string_agg(slot_name, ', ' ORDER BY slot_name) "
      "FROM pg_catalog.pg_replication_slots WHERE NOT active");
  if (slots && !slots->IsNull(0, 0)) {
    Add("replication",
        "nobody reads the slots " + slots->Text(0, 0) +
            ", for which the server keeps its log, the old values in it included",
        "drop those that are not needed any more: SELECT pg_drop_replication_slot(...)");
  }
  AddForTables(kPublications, "is in the publications ", ", which send each new value on",
               "let the subscribers have the new key too");
}

// Nothing where the server may be on another machine, or does not tell where its files are.
std::optional<std::uint64_t> Examiner::FreeBytes() {
  if (!std::string_view(PQhost(connection_.get())).starts_with('/')) return std::nullopt;
  const auto directory = Query("SHOW data_directory");
  struct statvfs disk{};
  if (!directory || statvfs(directory->Text(0, 0).c_str(), &disk) != 0) return std::nullopt;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

// Old and new versions of all rows stand side by side until the end, and the indexes' entries too.
void Examiner::AddDisk() {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  for (const Table& table : found_.tables) {
    bytes += table.target.bytes;
    rows += table.target.estimated_rows;
  }
  const std::uint64_t needed = 2 * bytes + kLogBytesPerRow * rows;
  std::string problem =
      "about " + Megabytes(needed) + " more are needed until the end: " + Megabytes(bytes) +
      " for tables and indexes, " + Megabytes(needed - bytes) + " for the log of changes";
  const auto free = FreeBytes();
  if (!free) {
    Add("the server's disk", problem, "see whether there is as much");
  } else if (*free < needed) {
    Add("the server's disk", problem + "; " + Megabytes(*free) + " are free", "make room");
  }
}

std::vector<Finding> Examiner::Examine() {
  AddStandby();
  AddForTables(
      kTriggers, "the triggers ", " run for each row that is written",
      "see whether they may: what they copy, an audit log for one, is not rotated with it");
  AddForTables(kRules, "the rules ", " change what an update does",
               "rotate with them disabled: ALTER TABLE ... DISABLE RULE ...");
  AddForTables(kIndexes, "the indexes ", " are on encrypted columns, which slows every update",
               "drop them if nobody needs them: nothing can be found by an encrypted value");
  AddReplication();
  AddDisk();
  Add("backups", "those of the database hold values that only the old key opens",
      "make one now, and keep the old key for as long as the last of them");
  return std::move(findings_);
}

}  // namespace

std::vector<Finding> ExamineDatabase(Connection& connection, const Resolved& found) {
  return Examiner(connection, found).Examine();
}

}  // namespace qarion::secrets::rotate::postgres
