// Strings of a JSON text by their paths, so that some can be replaced and every other byte stays.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_reader.h"
#include "qarion/secrets/result.h"
#include "rotate/plan.h"

namespace qarion::secrets::rotate {

// A string at a path.
struct JsonSlot {
  std::size_t begin = 0;  // of the literal within the text, its quotes included
  std::size_t end = 0;
  std::string_view text;  // what it says: without quotes and escapes
  std::size_t path = 0;   // the first of the paths that lead here
};

// What is at one path. Where none of it is, the path is absent.
struct JsonPathCounts {
  std::size_t strings = 0;
  std::size_t nulls = 0;
  std::size_t others = 0;  // numbers, booleans, objects and arrays
  bool IsAbsent() const noexcept { return strings + nulls + others == 0; }
};

// Finds the strings at some paths, in one text after another. Of a member that occurs twice, each
// is found. A string to which several paths lead is found once, and counted for each of them.
//
// Thread-safety: one thread at a time. The paths must outlive it.
class JsonSlotFinder {
 public:
  explicit JsonSlotFinder(std::span<const JsonPath> paths) : paths_(paths) {}

  // Replaces what was found before. kBadData: not JSON (RFC 8259), not UTF-8, nested deeper than
  // 100; half of a surrogate pair in a string at a path. Without content. Takes time in proportion
  // to the text.
  Status Find(std::string_view json);

  // In the order of the text. Valid until Find() is called again, and as long as the text.
  std::span<const JsonSlot> slots() const noexcept { return slots_; }
  // One for each path.
  std::span<const JsonPathCounts> counts() const noexcept { return counts_; }

 private:
  // An object or array that is open: where in active_ the paths are that lead to it.
  struct Frame {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t index = 0;  // of the next element of an array
    bool is_array = false;
  };

  Status Take(const core::JsonReader& reader, core::JsonEvent event);
  void SelectMember(const core::JsonReader& reader);
  void SelectElement();
  Status TakeValue(const core::JsonReader& reader, core::JsonEvent event);
  Status AddSlot(const core::JsonReader& reader, std::size_t path);

  std::span<const JsonPath> paths_;
  std::vector<JsonSlot> slots_;
  std::vector<JsonPathCounts> counts_;
  std::string unescaped_;  // what slots with escapes view
  // While Find() works: what is open, and the paths that lead to each of it; behind those, the
  // paths that lead to the value that comes next.
  std::vector<Frame> frames_;
  std::vector<std::size_t> active_;
  std::string name_;
};

// Appends the text with other strings in the slots that were found in it: `texts` has one for each.
// Where the string is the same, its literal stays as it was, escapes included.
void SpliceJson(std::string_view json, std::span<const JsonSlot> slots,
                std::span<const std::string_view> texts, std::vector<char>& out);

}  // namespace qarion::secrets::rotate
