// What a rotation works on: the plan that an operator writes in TOML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate {

// Largest plan that is read.
inline constexpr std::size_t kMostPlanBytes = std::size_t{1024} * 1024;
// Longest names, prefixes and paths in it; an identifier of PostgreSQL has 63 bytes.
inline constexpr std::size_t kMostNameBytes = 1024;
inline constexpr std::size_t kMostPrefixBytes = 256;
inline constexpr std::size_t kMostPathBytes = 4096;
// No JSON is read that is nested deeper.
inline constexpr std::size_t kMostPathSteps = 100;

// How an encrypted value stands in its column.
enum class Shape {
  kText,   // text, varchar, char(n), ...: the whole value is a token
  kBytes,  // bytea, BLOB: the bytes of the token's text
  kJson,   // json, jsonb, or text that holds JSON: strings at the column's paths are tokens
};

// What to do with a value that is no token at all.
enum class PlaintextPolicy {
  kError,    // report it and change nothing (the default)
  kSkip,     // leave it and count it
  kEncrypt,  // encrypt it with the new key, dated now
};

// One step of a path into a JSON value.
struct PathStep {
  enum class Kind { kMember, kElement, kEveryChild };
  Kind kind = Kind::kMember;
  std::string name;       // of kMember
  std::size_t index = 0;  // of kElement
  bool operator==(const PathStep&) const = default;
};

// A path as in JSONPath (RFC 9535), of which these are understood: `$` (the document itself, a
// string), `.name`, `['name']`, `["name"]`, `[3]`, and `.*` or `[*]`, which are both all children
// of an object or of an array. At most kMostPathSteps steps and kMostPathBytes bytes.
struct JsonPath {
  std::string text;  // as it was written
  std::vector<PathStep> steps;
  // kBadData: not written as a path, or not of the kinds above; says where, without content.
  static Result<JsonPath> Parse(std::string_view text);
  bool operator==(const JsonPath&) const = default;
};

struct ColumnPlan {
  std::string name;
  Shape shape = Shape::kText;
  std::vector<JsonPath> paths;  // of kJson; at least one
  std::string prefix;           // what stands before each token: "enc:"
  PlaintextPolicy plaintext = PlaintextPolicy::kError;
  bool operator==(const ColumnPlan&) const = default;
};

struct TablePlan {
  std::string schema;  // as the database spells it; empty: found by the search path
  std::string name;
  std::vector<std::string> key;  // columns that name a row in reports; empty: the primary key
  std::string where;             // an SQL condition; empty: every row
  std::vector<ColumnPlan> columns;

  // "schema.name", or "name" where no schema is given; for people.
  std::string Title() const { return schema.empty() ? name : schema + "." + name; }
  bool operator==(const TablePlan&) const = default;
};

struct Plan {
  std::vector<TablePlan> tables;
  // Where each rotation leaves a row that says what it did; made where it is absent.
  std::string audit_schema;  // empty: the first schema of the search path
  std::string audit_table = "qarion_secrets_rotations";
  bool operator==(const Plan&) const = default;
};

// Reads a plan, in TOML:
//
//   audit_table = "schema.name"       # optional
//   [[table]]
//   name = "schema.table"             # or "table"
//   key = ["id"]                      # optional, and so is what follows
//   where = "deleted_at IS NULL"
//     [[table.column]]
//     name = "credentials"
//     shape = "json"                  # or "text", the default, or "bytea"
//     paths = ["$.password"]          # or path = "$.password"; of JSON alone
//     prefix = "enc:"
//     plaintext = "error"             # the default, or "skip", or "encrypt"
//
// Names stand there as the database spells them: capital letters need no quotes. A name in `name`
// of a table or in `audit_table` that has a dot or a quote in it is quoted as in SQL:
// name = '"my.schema"."my ""table"""'. Beside schema = "...", `name` is the table's alone and needs
// no quotes. Names of columns never need any.
//
// `origin` begins each error's text: "plan.toml" or "the plan".
// kConfiguration: not TOML, with line and column; a member that is unknown, missing, given twice or
// of another type; a value that is empty or too long; a table or a column that stands there twice;
// no table; a table without columns; paths of what is not JSON, and JSON without paths.
Result<Plan> ParsePlan(std::string_view toml, const std::string& origin);

// Writes what ParsePlan reads, with a remark above each table (`remarks` has one for each, or is
// empty).
std::string WritePlan(const Plan& plan, const std::vector<std::string>& remarks = {});

}  // namespace qarion::secrets::rotate
