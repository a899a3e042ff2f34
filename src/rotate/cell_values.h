// Where tokens belong in a cell.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rotate/plan.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate {

struct CellValue {
  std::string_view text;  // without escapes of JSON
  // What it takes of the cell; in JSON with the quotes around it.
  std::size_t begin = 0;
  std::size_t end = 0;
  const JsonPath* path = nullptr;  // in JSON: the one that led to it
};

// Reused from cell to cell.
struct CellValues {
  std::vector<CellValue> values;  // in the order of the cell
  std::size_t nulls = 0;          // NULL, or null in JSON
  std::size_t absent = 0;         // paths that lead nowhere
  std::string problem;            // why the cell cannot be read; then there are no values
  std::vector<std::string> unescaped;
};

// Replaces what `found` holds. It views `cell` and the plan.
void FindValues(const ColumnPlan& column, const Cell& cell, CellValues& found);

// Appends the cell to `out`, with `texts` in place of its values; a text whose data is null leaves
// the value as it is. Every other byte stays.
void Splice(const ColumnPlan& column, const Cell& cell, const CellValues& found,
            const std::vector<std::string_view>& texts, std::vector<char>& out);

}  // namespace qarion::secrets::rotate
