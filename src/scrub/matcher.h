// Finds values in text: what a stream needs to know of an engine, and nothing more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace qarion::secrets::scrub {

// An occurrence: the `length` bytes that end at `end`. `end` counts from the beginning of the text
// given to Scan(), so an occurrence that began in an earlier piece is longer than its `end`.
struct Match {
  std::size_t end = 0;
  std::size_t length = 0;
};

// What a stream remembers between two pieces: the longest end of the text so far that is the
// beginning of a pattern, but not all of it.
struct MatchState {
  std::size_t pending = 0;  // its length in bytes
  std::uint32_t node = 0;   // the engine's name for it
};

struct Scanned {
  std::size_t bytes = 0;
  std::size_t matches = 0;
};

// A compiled set of patterns.
//
// Time is linear in the text, whatever text and patterns are.
// Thread-safety: immutable; Scan() may be called from several threads.
class Matcher {
 public:
  virtual ~Matcher() = default;

  // Goes on with `text` where `state` stands; a fresh MatchState begins a stream. Writes matches to
  // `room` (not empty) in ascending order of their ends, the longest one at each end, and stops
  // early when it is full. Moves `state` on to the last byte it went through.
  virtual Scanned Scan(std::string_view text, MatchState& state, std::span<Match> room) const = 0;
};

// Chooses and builds the engine for `patterns`: none empty, each once, in ascending order of their
// bytes. The text of the patterns need not outlive the call.
std::unique_ptr<const Matcher> CompileMatcher(std::span<const std::string_view> patterns);

}  // namespace qarion::secrets::scrub
