// Finds patterns in a piece of text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "scrub/bytes.h"
#include "scrub/kernels.h"
#include "scrub/pattern_index.h"

namespace qarion::secrets::scrub {

struct Piece {
  std::string_view text;
  // Only patterns that begin before this place in it.
  std::size_t begin_before = std::string_view::npos;
  int byte_before = kNoByte;  // what stands before `text`; none at the beginning of a stream
  bool ends_stream = false;   // nothing will follow
  // If not null, gets the places of the line breaks in the text that may end a line of wrapped
  // base64: what is before them is some 60 characters of it, or so short that it cannot be told.
  std::vector<std::size_t>* line_ends = nullptr;
};

// What is told of a piece, in no order, and perhaps more than once.
class Findings {
 public:
  // An occurrence, from `begin` to `end` in the text, what belongs to it around it included.
  virtual void OnOccurrence(const Pattern& pattern, std::size_t begin, std::size_t end) = 0;
  // A pattern begins at `begin` and goes on behind the piece, of which it has kShortLength bytes or
  // more; or what follows may belong to it.
  virtual void OnUnfinished(const Pattern& pattern, std::size_t begin) = 0;

 protected:
  ~Findings() = default;
};

// Finds every pattern that lies in the piece, or has at least kShortLength bytes in it. Not those
// that repeat themselves: the automaton finds them.
void FindIn(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings);

// Places in a text of so many bytes at most.
template <std::size_t kBytes>
using Places = std::array<std::uint16_t, kBytes + kSpareHits>;

// Shorter texts are looked at with less memory at hand: to have room for a batch on the stack would
// take a good part of the time of a line.
inline constexpr std::size_t kLineBytes = 512;

// Whether it is sure that no pattern lies in the text, of kBatchBytes at most, nor the first
// kShortLength bytes of one: no place has a gram of theirs.
bool HasNoPattern(const IndexView& view, const Kernels& kernels, std::string_view text);

// The line breaks in the batch at `begin` that may end a line of wrapped base64 (Piece), as
// distances from there. They are in `room`, of so many numbers as the batch has bytes. `run_bits`:
// what the kernels told of it, or null.
std::span<const std::uint16_t> FindLineEnds(const Kernels& kernels, std::string_view text,
                                            std::size_t begin, RunBits* run_bits,
                                            std::uint16_t* room);

// Whether a pattern may begin at one of the first `count` places of the text.
bool MayBeginIn(const IndexView& view, std::string_view text, std::size_t count);

// Number of bytes at the end of a text that must wait: from the first place, of the last
// kShortLength, where a pattern begins that goes on behind the text, or is a word if that ends
// there. `text`: of it, the last kShortLength + 1 bytes count.
std::size_t PendingAt(const IndexView& view, const Kernels& kernels, std::string_view text,
                      bool base64_alone = false);

}  // namespace qarion::secrets::scrub
