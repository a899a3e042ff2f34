#include "rotate/cell_finder.h"

namespace qarion::secrets::rotate {

void CellFinder::Find(const Cell& cell) {
  values_.clear();
  nulls_ = 0;
  absent_ = 0;
  others_ = 0;
  problem_.clear();
  cell_ = cell.bytes;
  if (cell.is_null) {
    nulls_ = 1;
  } else if (column_.shape == Shape::kJson && !cell.bytes.empty()) {
    FindInJson(cell.bytes);
  } else {
    values_.push_back({.text = cell.bytes});
  }
}

void CellFinder::FindInJson(std::string_view json) {
  if (const Status found = json_.Find(json); !found) {
    problem_ = found.error().reason();
    return;
  }
  for (const JsonSlot& slot : json_.slots()) {
    values_.push_back({.text = slot.text, .path = &column_.paths[slot.path]});
  }
  for (std::size_t path = 0; path < column_.paths.size(); ++path) {
    const JsonPathCounts& counts = json_.counts()[path];
    nulls_ += counts.nulls;
    absent_ += counts.IsAbsent() ? 1 : 0;
    if (others_ == 0) path_of_others_ = &column_.paths[path];
    others_ += counts.others;
  }
}

void CellFinder::Splice(std::span<const std::string_view> texts, std::vector<char>& out) const {
  if (column_.shape == Shape::kJson) return SpliceJson(cell_, json_.slots(), texts, out);
  for (const std::string_view text : texts) out.insert(out.end(), text.begin(), text.end());
}

}  // namespace qarion::secrets::rotate
