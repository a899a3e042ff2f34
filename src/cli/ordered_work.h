// Work on many files at once whose outcomes are wanted in order.
#pragma once

#include <cstddef>
#include <functional>

#include "cli/scrub_outcome.h"

namespace qarion::secrets::cli {

struct OrderedWork {
  // Of the piece with this number; called in several threads.
  std::function<ScrubOutcome(std::size_t)> work;
  // Called for each piece in order, in the calling thread. Nothing more is begun where it returns
  // false.
  std::function<bool(ScrubOutcome)> take;
  // Called in the calling thread from time to time.
  std::function<void(std::size_t done)> meanwhile;
};

// Does `count` pieces of work in `threads` threads and returns when all have ended.
void WorkInOrder(std::size_t count, std::size_t threads, const OrderedWork& what);

}  // namespace qarion::secrets::cli
