// What a plan names, looked up in the catalogue of the database.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/postgres/connection.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

enum class ColumnKind {
  kText,  // text, varchar, char(n), citext, domains over them
  kJson,
  kJsonb,
  kBytes,
  kOther,
};

struct Column {
  std::string name;
  std::string type;  // "character varying(500)"
  ColumnKind kind = ColumnKind::kOther;
};

// A table as the statements need it.
struct Table {
  Target target;
  std::vector<Column> columns;   // those of the plan, in its order
  std::vector<std::string> key;  // of the plan
  std::string where;
};

struct Resolved {
  std::vector<Table> tables;
  // Partitioned tables above them: they have no rows, and are locked against new partitions.
  std::vector<Target> roots;
};

// Everything that `plan` names. kConfiguration: something is missing, of a kind that cannot be
// written, or named twice. kNotPermitted: row-level security would hide rows.
Result<Resolved> FindTables(Connection& connection, const Plan& plan);

// What Search() looked through, which no plan need name: without columns and key.
Result<Table> FindTable(Connection& connection, const std::string& schema, const std::string& name);

}  // namespace qarion::secrets::rotate::postgres
