// Reads the collected cases of other maskers for the tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace qarion::secrets::scrub {

// Either text or values to add.
struct CaseEvent {
  std::optional<std::string> write;
  std::vector<std::string> add;
};

// The members of a case that literal matching is about.
struct ScrubCase {
  int id = 0;
  std::string source;
  std::vector<std::string> secrets;
  std::vector<std::string> chunks;
  std::optional<std::string> expected;
  std::optional<std::string> union_with_adjacent_merge;
  std::optional<std::string> first_output;
  std::vector<CaseEvent> events;
};

// The cases in the text of scrub_cases.json. Ends the test program where the text is not what it
// should be.
std::vector<ScrubCase> ReadScrubCases(const std::string& text);

}  // namespace qarion::secrets::scrub
