// Fetching keys because of tokens, which anybody may send.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "qarion/secrets/clock.h"
#include "qarion/secrets/runtime.h"

namespace qarion::secrets::jwt {

// One refresh at a time serves all who ask meanwhile; after it there is none for a while.
//
// Thread-safety: all members from several threads.
class RefreshGate {
 public:
  // Whether the snapshot was fetched while the caller waited, a second at most.
  bool Refresh(Runtime& runtime, const Clock& clock);

  std::uint64_t count() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable done_;
  bool is_refreshing_ = false;
  bool was_refreshed_ = false;  // the latest time
  std::uint64_t count_ = 0;
  Clock::SteadyTime closed_until_ = Clock::SteadyTime::min();
};

}  // namespace qarion::secrets::jwt
