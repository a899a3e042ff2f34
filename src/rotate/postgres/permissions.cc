#include "rotate/postgres/permissions.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/join.h"
#include "rotate/postgres/names.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kPermissionsFailed[] = "permissions cannot be looked up";
// $1: ids of tables.
constexpr char kSelect[] =
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[]) AND ";

std::string RoleOf(Connection& connection) {
  auto role = connection.Query("SELECT pg_catalog.quote_ident(current_user::text)", {}, "");
  return role ? role->Text(0, 0) : std::string();
}

// Titles and, for SQL, quoted names of the tables in `rows`, a schema and a name in each.
struct Names {
  std::vector<std::string> titles;
  std::vector<std::string> quoted;
};
Names NamesIn(const Rows& rows) {
  Names names;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    names.titles.push_back(Title(rows.Get(i, 0), rows.Get(i, 1)));
    names.quoted.push_back(QuotedName(rows.Get(i, 0), rows.Get(i, 1)));
  }
  return names;
}

std::vector<std::uint64_t> IdsOf(std::span<const Table> tables) {
  std::vector<std::uint64_t> ids;
  for (const Table& table : tables) ids.push_back(table.target.id);
  return ids;
}

std::string OidsText(std::span<const std::uint64_t> ids) {
  std::string oids = "{";
  for (const std::uint64_t id : ids) {
    if (oids.size() > 1) oids += ",";
    oids += std::to_string(id);
  }
  return oids + "}";
}

}  // namespace

Status CheckPermissions(Connection& connection, const Resolved& resolved, Access access) {
  std::vector<std::uint64_t> ids = IdsOf(resolved.tables);
  for (const Target& root : resolved.roots) {
    if (access == Access::kWrite) ids.push_back(root.id);
  }
  const std::string privileges = access == Access::kWrite ? "SELECT, UPDATE" : "SELECT";
  auto refused = connection.Query(
      std::string(kSelect) +
          "NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT') AND "
          "($2 OR pg_catalog.has_table_privilege(c.oid, 'UPDATE'))) ORDER BY 1, 2",
      {OidsText(ids), access == Access::kWrite ? "false" : "true"}, kPermissionsFailed);
  if (!refused) return std::move(refused).error();
  if (refused->size() > 0) {
    const Names names = NamesIn(*refused);
    const std::string role = RoleOf(connection);
    return Error(ErrorCode::kNotPermitted,
                 "the role " + role + " may not " +
                     (access == Access::kWrite ? "read and write " : "read ") +
                     core::Join(names.titles))
        .Cure("GRANT " + privileges + " ON " + core::Join(names.quoted) + " TO " + role);
  }
  return {};
}

Status CheckRowSecurity(Connection& connection, std::span<const Table> tables) {
  auto hidden =
      connection.Query(std::string(kSelect) + "pg_catalog.row_security_active(c.oid) ORDER BY 1, 2",
                       {OidsText(IdsOf(tables))}, kPermissionsFailed);
  if (!hidden) return std::move(hidden).error();
  if (hidden->size() == 0) return {};
  // Which holds for owners too.
  auto forced = connection.Query(
      std::string(kSelect) +
          "c.relforcerowsecurity AND pg_catalog.row_security_active(c.oid) ORDER BY 1, 2",
      {OidsText(IdsOf(tables))}, kPermissionsFailed);
  if (!forced) return std::move(forced).error();
  const std::string role = RoleOf(connection);
  std::string cure = "connect as a role that sees all rows: ALTER ROLE " + role +
                     " BYPASSRLS, or the owner of the tables";
  for (const std::string& table : NamesIn(*forced).quoted) {
    cure += ", after ALTER TABLE " + table + " NO FORCE ROW LEVEL SECURITY";
  }
  return Error(ErrorCode::kNotPermitted, "row-level security hides rows of " +
                                             core::Join(NamesIn(*hidden).titles) +
                                             " from the role " + role)
      .Cure(std::move(cure));
}

}  // namespace qarion::secrets::rotate::postgres
