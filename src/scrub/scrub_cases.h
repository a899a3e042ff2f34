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

// The cases, or nothing where scrub_cases.json is not to be found. Ends the test program where the
// file is not what it should be.
std::optional<std::vector<ScrubCase>> LoadScrubCases();

}  // namespace qarion::secrets::scrub
