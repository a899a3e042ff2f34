// Requests to several servers at once, so that a slow one is neither waited for nor given up.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "net/retry.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::vault {

// What a request to one server came to.
struct Outcome {
  net::Attempt attempt;
  bool is_definite = true;  // no other server would say anything else
  std::size_t node = 0;     // the server's number
};

// Thread-safety: one thread uses it; the requests have threads of their own.
class Race {
 public:
  explicit Race(Clock& clock) : clock_(clock) {}
  // Stops what is still on its way.
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // Begins a request. A server has two before it at most: the oldest stays, because the server may
  // only be slow, and the other gives way, because it may hang on something that is over.
  void Start(std::size_t node, std::function<Outcome(const std::stop_token&)> send);

  // The next request that has ended; nothing where none does before `until` or `stop`, or none is
  // on its way.
  std::optional<Outcome> Next(Clock::SteadyTime until, const std::stop_token& stop);

  bool has_runners() const noexcept { return !runners_.empty(); }

 private:
  struct Runner {
    std::size_t node;
    std::optional<Outcome> outcome;  // once it has ended; under mutex_
    std::jthread thread;
  };

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Runner> runners_;
};

}  // namespace qarion::secrets::vault
