// Work on many files at once whose outcomes are wanted in order.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "cli/scrub_outcome.h"

namespace qarion::secrets::cli {

// What is passed on before its turn comes is kept until more than so many bytes are; whoever has
// more then waits.
inline constexpr std::size_t kMostKeptOutput = std::size_t{4} << 20;

// Takes output of a piece of work, in any thread. Returns whether more is wanted.
using PassOutput = std::function<bool(std::string_view)>;

struct OrderedWork {
  // Of the piece with this number, whose output `pass` takes; called in several threads.
  std::function<ScrubOutcome(std::size_t number, const PassOutput& pass)> work;
  // Called with the output of each piece in order, as soon as there is some, in the calling thread.
  // Where it or `take` returns false nothing more is begun, and no more output wanted.
  std::function<bool(std::string_view)> write;
  // Called for each piece in order, in the calling thread.
  std::function<bool(const ScrubOutcome&)> take;
  // Called in the calling thread from time to time.
  std::function<void(std::size_t done)> meanwhile;
};

// Does `count` pieces of work in `threads` threads and returns when all have ended.
void WorkInOrder(std::size_t count, std::size_t threads, const OrderedWork& what);

}  // namespace qarion::secrets::cli
