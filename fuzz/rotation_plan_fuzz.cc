// Any bytes as a plan. What is read must be what the rules allow, and be read again as it is
// written; errors must be one line.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "core/ascii.h"
#include "core/utf8.h"
#include "require.h"
#include "rotate/plan.h"

namespace core = qarion::secrets::core;
namespace rotate = qarion::secrets::rotate;

namespace {

void RequireFits(const rotate::ColumnPlan& column) {
  Require(!column.name.empty() && !core::FindInvalidUtf8(column.name));
  Require((column.shape == rotate::Shape::kJson) == !column.paths.empty());
  Require(column.prefix.size() <= rotate::kMostPrefixBytes);
  Require(std::ranges::none_of(column.prefix, core::IsControl));
  for (const rotate::JsonPath& path : column.paths) {
    Require(path.text.starts_with('$') && path.steps.size() <= rotate::kMostPathSteps);
    const auto again = rotate::JsonPath::Parse(path.text);
    Require(again && *again == path);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto plan = rotate::ParsePlan(text, "plan");
  if (!plan) {
    Require(plan.error().code() == qarion::secrets::ErrorCode::kConfiguration);
    Require(plan.error().reason().starts_with("plan") && !plan.error().cure().empty());
    Require(plan.error().reason().size() < 400);
    Require(std::ranges::none_of(plan.error().reason(), core::IsControl));
    Require(!core::FindInvalidUtf8(plan.error().reason()));
    return 0;
  }
  Require(!plan->tables.empty() && !plan->audit_table.empty());
  std::set<std::pair<std::string, std::string>> names;
  for (const rotate::TablePlan& table : plan->tables) {
    Require(!table.name.empty() && !table.columns.empty());
    Require(names.emplace(table.schema, table.name).second);
    for (const rotate::ColumnPlan& column : table.columns) RequireFits(column);
  }
  const auto again = rotate::ParsePlan(rotate::WritePlan(*plan), "written");
  Require(again && *again == *plan);
  return 0;
}
