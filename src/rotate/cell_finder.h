// Where tokens belong in the cells of a column.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rotate/json_slots.h"
#include "rotate/plan.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate {

struct CellValue {
  std::string_view text;
  const JsonPath* path = nullptr;  // in JSON: the first one that leads to it
};

// Looks at one cell after another.
//
// Thread-safety: one thread at a time. Lifetime: the column must outlive it.
class CellFinder {
 public:
  explicit CellFinder(const ColumnPlan& column) : column_(column), json_(column.paths) {}

  // Replaces what was found before. What is found views the cell.
  void Find(const Cell& cell);

  // In the order of the cell.
  std::span<const CellValue> values() const noexcept { return values_; }
  std::size_t nulls() const noexcept { return nulls_; }    // NULL, or null in JSON
  std::size_t absent() const noexcept { return absent_; }  // paths that lead nowhere
  std::size_t others() const noexcept { return others_; }  // what is no string, in JSON
  const JsonPath* path_of_others() const noexcept { return path_of_others_; }  // of the first
  // Why the cell cannot be read, such as "is not JSON"; empty where it can.
  const std::string& problem() const noexcept { return problem_; }

  // Appends the cell to `out` with `texts` in place of its values, one for each; every other byte
  // stays.
  void Splice(std::span<const std::string_view> texts, std::vector<char>& out) const;

 private:
  void FindInJson(std::string_view json);

  const ColumnPlan& column_;
  JsonSlotFinder json_;
  std::string_view cell_;
  std::vector<CellValue> values_;
  std::size_t nulls_ = 0;
  std::size_t absent_ = 0;
  std::size_t others_ = 0;
  const JsonPath* path_of_others_ = nullptr;
  std::string problem_;
};

}  // namespace qarion::secrets::rotate
