#include "rotate/sqlite/audit.h"

#include <string>
#include <utility>

#include "core/ascii.h"
#include "rotate/sqlite/errors.h"
#include "rotate/sqlite/names.h"
#include "rotate/sqlite/statement.h"

namespace qarion::secrets::rotate::sqlite {
namespace {

std::string What(const Plan& plan, const char* problem) {
  return "the audit table " + plan.audit_table + " " + problem;
}

std::string Insertion(const Plan& plan) {
  return "INSERT INTO " + QuotedTable(plan.audit_table) +
         " (id, finished_at, tool, new_key, old_keys, report)"
         " VALUES (?1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), ?2, ?3, ?4, ?5)";
}

Result<bool> IsThere(Connection& connection, const Plan& plan) {
  auto found = Statement::Prepare(connection,
                                  "SELECT 1 FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE",
                                  What(plan, "cannot be looked up"));
  if (!found) return std::move(found).error();
  found->BindText(1, plan.audit_table);
  return found->Step();
}

}  // namespace

Status CheckAuditTable(Connection& connection, const Plan& plan) {
  if (!plan.audit_schema.empty() && !core::EqualsIgnoringCase(plan.audit_schema, "main")) {
    return WrongTable(plan.audit_schema + "." + plan.audit_table,
                      "is to be the audit table, in another schema than main",
                      "name the audit table without a schema");
  }
  const auto is_there = IsThere(connection, plan);
  if (!is_there) return is_there.error();
  if (!*is_there) return {};
  const auto insertion =
      Statement::Prepare(connection, Insertion(plan), What(plan, "is not one of a rotation"));
  if (!insertion) {
    return Error(insertion.error().code(), insertion.error().reason())
        .Cure("name another one in the plan: audit_table = \"...\"");
  }
  return {};
}

Status InsertAudit(Connection& connection, const Plan& plan, const AuditRecord& record) {
  const std::string what = What(plan, "cannot be written");
  Status made = connection.Execute(
      "CREATE TABLE IF NOT EXISTS " + QuotedTable(plan.audit_table) +
          " (id TEXT PRIMARY KEY NOT NULL, finished_at TEXT NOT NULL, tool TEXT NOT NULL,"
          " new_key TEXT NOT NULL, old_keys TEXT NOT NULL, report TEXT NOT NULL)",
      what);
  if (!made) return made;
  auto insertion = Statement::Prepare(connection, Insertion(plan), what);
  if (!insertion) return std::move(insertion).error();
  insertion->BindText(1, record.id);
  insertion->BindText(2, record.tool);
  insertion->BindText(3, record.new_key);
  insertion->BindText(4, record.old_keys);
  insertion->BindText(5, record.report);
  const auto inserted = insertion->Step();
  if (!inserted) return inserted.error();
  const auto found = SelectAudit(connection, plan, record.id);
  if (!found) return found.error();
  return *found ? Status() : NoAuditRow(plan.audit_table);
}

Result<std::optional<AuditRecord>> SelectAudit(Connection& connection, const Plan& plan,
                                               std::string_view id) {
  const auto is_there = IsThere(connection, plan);
  if (!is_there) return is_there.error();
  if (!*is_there) return std::optional<AuditRecord>();
  auto row =
      Statement::Prepare(connection,
                         "SELECT id, tool, new_key, old_keys, report, finished_at FROM " +
                             QuotedTable(plan.audit_table) +
                             " WHERE ?1 IN ('', id) ORDER BY finished_at DESC, rowid DESC LIMIT 1",
                         What(plan, "cannot be read"));
  if (!row) return std::move(row).error();
  row->BindText(1, id);
  const auto is_row = row->Step();
  if (!is_row) return is_row.error();
  if (!*is_row) return std::optional<AuditRecord>();
  return std::optional<AuditRecord>({.id = row->Text(0),
                                     .tool = row->Text(1),
                                     .new_key = row->Text(2),
                                     .old_keys = row->Text(3),
                                     .report = row->Text(4),
                                     .finished_at = row->Text(5)});
}

}  // namespace qarion::secrets::rotate::sqlite
