// What the automaton tells of its patterns in a text.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qarion::secrets::scrub {

// An occurrence: the `length` bytes that end at `end`. `end` counts from the beginning of the text
// given to Scan(), so an occurrence that began in an earlier piece is longer than its `end`.
struct Match {
  std::size_t end = 0;
  std::size_t length = 0;
  std::uint32_t pattern = 0;  // its place among those that the automaton was made of
};

// What a stream remembers between two pieces: the longest end of the text so far that is the
// beginning of a pattern, but not all of it.
struct MatchState {
  std::size_t pending = 0;  // its length in bytes
  std::uint32_t node = 0;   // the automaton's name for it
};

struct Scanned {
  std::size_t bytes = 0;
  std::size_t matches = 0;
};

}  // namespace qarion::secrets::scrub
