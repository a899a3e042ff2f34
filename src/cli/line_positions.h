// Lines and columns in a text that goes by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace qarion::secrets::cli {

struct LinePosition {
  std::uint64_t line = 1;
  std::uint64_t column = 1;  // in bytes
};

// Remembers the line breaks of the latest 8 MiB, which is more than a value of the largest size
// takes in any form; before that it gives the oldest line that it knows.
class LinePositions {
 public:
  void Add(std::string_view text);
  // Of the byte at `offset`, which counts from the beginning of all text.
  LinePosition Of(std::uint64_t offset) const;

 private:
  void Forget();

  std::uint64_t size_ = 0;
  std::vector<std::uint64_t> newlines_;  // offsets
  std::uint64_t lines_before_ = 0;       // that ended before the first of them
  std::uint64_t line_begin_ = 0;         // of the one that the first of them ends
};

}  // namespace qarion::secrets::cli
