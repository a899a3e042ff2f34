#include "rotate/postgres/audit.h"

#include <utility>

#include "rotate/postgres/names.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kAuditFailed[] = "the audit table cannot be looked up";

std::string Quoted(const AuditTable& table) { return QuotedName(table.schema, table.name); }

std::string Creation(const AuditTable& table) {
  return "CREATE TABLE " + Quoted(table) +
         " (id text PRIMARY KEY, finished_at timestamptz NOT NULL, role text NOT NULL,"
         " tool text NOT NULL, new_key text NOT NULL, old_keys text NOT NULL, report json NOT "
         "NULL)";
}

std::string Insertion(const AuditTable& table) {
  return "INSERT INTO " + Quoted(table) +
         " (id, finished_at, role, tool, new_key, old_keys, report) "
         "VALUES ($1, pg_catalog.clock_timestamp(), current_user, $2, $3, $4, $5::json)";
}

// Something else may have its name.
Status CheckColumns(Connection& connection, const AuditTable& table) {
  const std::string title = Title(table.schema, table.name);
  Status parsed = connection.Parse(
      Insertion(table), title + " is there, and is no table of this tool's for its audit");
  if (parsed || parsed.error().code() != ErrorCode::kConfiguration) return parsed;
  return Error(ErrorCode::kConfiguration, parsed.error().reason())
      .With("table", title)
      .Cure("name another audit_table in the plan, or rename " + title);
}

}  // namespace

Result<AuditTable> FindAuditTable(Connection& connection, const Plan& plan) {
  AuditTable table{.schema = plan.audit_schema, .name = plan.audit_table};
  if (table.schema.empty()) {
    auto schema = connection.Query("SELECT pg_catalog.current_schema()", {}, kAuditFailed);
    if (!schema) return std::move(schema).error();
    table.schema = schema->Text(0, 0);
  }
  auto found = connection.Query(
      "SELECT c.oid FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c "
      "ON c.relnamespace = n.oid AND c.relname = $2 WHERE n.nspname = $1",
      {table.schema, table.name}, kAuditFailed);
  if (!found) return std::move(found).error();
  if (table.schema.empty() || found->size() == 0) {
    return Error(ErrorCode::kConfiguration,
                 table.schema.empty()
                     ? "no schema of the search path is there for the audit table"
                     : "the schema " + table.schema + " of the audit table is not in the database")
        .Cure("name a schema that exists for the audit table in the plan");
  }
  table.is_there = !found->IsNull(0, 0);
  return table;
}

Status CheckAuditTable(Connection& connection, const AuditTable& table) {
  auto rights =
      connection.Query(table.is_there ? "SELECT pg_catalog.has_table_privilege($1, 'INSERT') AND "
                                        "pg_catalog.has_table_privilege($1, 'SELECT'), "
                                        "pg_catalog.quote_ident(current_user::text)"
                                      : "SELECT pg_catalog.has_schema_privilege($1, 'CREATE'), "
                                        "pg_catalog.quote_ident(current_user::text)",
                       {table.is_there ? Quoted(table) : table.schema}, kAuditFailed);
  if (!rights) return std::move(rights).error();
  if (rights->IsTrue(0, 0)) return table.is_there ? CheckColumns(connection, table) : Status();
  const std::string role = rights->Text(0, 1);
  const std::string grant = "GRANT SELECT, INSERT ON " + Quoted(table) + " TO " + role;
  const std::string title = Title(table.schema, table.name);
  if (table.is_there) {
    return Error(ErrorCode::kNotPermitted,
                 "the role " + role + " may not write to the audit table " + title)
        .Cure(grant);
  }
  return Error(ErrorCode::kNotPermitted,
               "the role " + role + " may not make the audit table " + title)
      .Cure(Creation(table) + "; " + grant);
}

Status InsertAudit(Connection& connection, const AuditTable& table, const AuditRecord& record) {
  const std::string what =
      "the audit table " + Title(table.schema, table.name) + " cannot be written";
  if (!table.is_there) {
    if (Status made = connection.Execute(Creation(table), what); !made) return made;
  }
  auto inserted = connection.Query(
      Insertion(table), {record.id, record.tool, record.new_key, record.old_keys, record.report},
      what);
  if (!inserted) return std::move(inserted).error();
  const auto found = SelectAudit(connection, {table.schema, table.name, true}, record.id);
  if (!found) return found.error();
  return *found ? Status() : NoAuditRow(Title(table.schema, table.name));
}

Result<std::optional<AuditRecord>> SelectAudit(Connection& connection, const AuditTable& table,
                                               std::string_view id) {
  if (!table.is_there) return std::optional<AuditRecord>();
  auto rows = connection.Query(
      "SELECT id, tool, new_key, old_keys, report::text, "
      "pg_catalog.to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM " +
          Quoted(table) + " WHERE $1 IN ('', id) ORDER BY finished_at DESC LIMIT 1",
      {std::string(id)}, "the audit table " + Title(table.schema, table.name) + " cannot be read");
  if (!rows) return std::move(rows).error();
  if (rows->size() == 0) return std::optional<AuditRecord>();
  return std::optional<AuditRecord>({.id = rows->Text(0, 0),
                                     .tool = rows->Text(0, 1),
                                     .new_key = rows->Text(0, 2),
                                     .old_keys = rows->Text(0, 3),
                                     .report = rows->Text(0, 4),
                                     .finished_at = rows->Text(0, 5)});
}

}  // namespace qarion::secrets::rotate::postgres
