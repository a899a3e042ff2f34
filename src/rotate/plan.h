// What a rotation works on: the plan that an operator writes in TOML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate {

// Largest plan that is read.
inline constexpr std::size_t kMostPlanBytes = std::size_t{1024} * 1024;

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
  enum class Kind { kMember, kElement, kEveryMember, kEveryElement };
  Kind kind = Kind::kMember;
  std::string name;       // of kMember
  std::size_t index = 0;  // of kElement
  bool operator==(const PathStep&) const = default;
};

// A path as in JSONPath (RFC 9535), of which these are understood: `$` (the document itself, a
// string), `.name`, `['name']`, `["name"]`, `[3]`, `.*` and `[*]`. Text that was not written as a
// path is kBadData.
struct JsonPath {
  std::string text;  // as it was written
  std::vector<PathStep> steps;
  static Result<JsonPath> Parse(std::string_view text);
};

struct ColumnPlan {
  std::string name;
  Shape shape = Shape::kText;
  std::vector<JsonPath> paths;  // of kJson; at least one
  std::string prefix;           // what stands before each token: "enc:"
  PlaintextPolicy plaintext = PlaintextPolicy::kError;
};

struct TablePlan {
  std::string schema;  // as the database spells it; empty: found by the search path
  std::string name;
  std::vector<std::string> key;  // columns that name a row in reports; empty: the primary key
  std::string where;             // an SQL condition; empty: every row
  std::vector<ColumnPlan> columns;

  // "schema.name", or "name" where no schema is given; for people.
  std::string Title() const;
};

struct Plan {
  std::vector<TablePlan> tables;
  // Where each rotation leaves a row that says what it did; made where it is absent.
  std::string audit_schema;  // empty: the first schema of the search path
  std::string audit_table = "qarion_secrets_rotations";
};

// Reads a plan. `origin` begins each error's text: "plan.toml" or "the plan".
// kConfiguration: not TOML, with line and column; a member that is unknown, missing, given twice or
// of another type; a table or a column that stands there twice; no table; a table without columns.
Result<Plan> ParsePlan(std::string_view toml, const std::string& origin);

// Writes what ParsePlan reads, with a remark above each table (`remarks` has one for each, or is
// empty).
std::string WritePlan(const Plan& plan, const std::vector<std::string>& remarks = {});

}  // namespace qarion::secrets::rotate
