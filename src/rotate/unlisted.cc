#include "rotate/unlisted.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace qarion::secrets::rotate {
namespace {

// The beginning of a token as it is, and how an ASCII character of it begins as an escape of JSON;
// one that stands further behind hides it from nobody.
constexpr std::array<std::string_view, 2> kSigns = {kTokenBeginning, R"(\u00)"};

}  // namespace

Status VisitCandidates(Store& store, const TextColumn& column,
                       const std::function<Status(std::string_view cell)>& visit) {
  auto source = store.Search(column, kSigns);
  if (!source) return std::move(source).error();
  RowBatch batch;
  while (true) {
    if (Status read = (*source)->Next(batch); !read) return read;
    if (batch.rows.empty()) return {};
    for (const Cell& cell : batch.cells) {
      if (Status visited = visit(cell.bytes); !visited) return visited;
    }
  }
}

bool IsListed(const Plan& plan, std::span<const Target> targets, const TextColumn& column) {
  const auto target = std::ranges::find_if(targets, [&](const Target& candidate) {
    return candidate.schema == column.schema && candidate.name == column.table;
  });
  if (target == targets.end()) return false;
  const std::vector<ColumnPlan>& columns = plan.tables[target->table].columns;
  return std::ranges::find(columns, column.name, &ColumnPlan::name) != columns.end();
}

Result<std::vector<UnlistedTokens>> SearchUnlisted(Store& store, const Plan& plan,
                                                   std::span<const Target> targets,
                                                   ValueReader& keys) {
  auto columns = store.TextColumns();
  if (!columns) return std::move(columns).error();
  std::vector<UnlistedTokens> unlisted;
  for (const TextColumn& column : *columns) {
    if (IsListed(plan, targets, column)) continue;
    UnlistedTokens found{.place = column.Title()};
    const Status searched = VisitCandidates(store, column, [&](std::string_view cell) -> Status {
      found.tokens += keys.CountTokens(cell);
      return {};
    });
    if (!searched) return searched.error();
    if (found.tokens > 0) unlisted.push_back(std::move(found));
  }
  return unlisted;
}

}  // namespace qarion::secrets::rotate
