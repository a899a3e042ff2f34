// When to fetch again. docs/adr/0004 says why the times are random, and why the first one differs.
#pragma once

#include <chrono>

#include "core/random.h"

namespace qarion::secrets::cache {

// Pure: takes chance, gives durations. Thread-safety: as its Random.
class RefreshSchedule {
 public:
  using Duration = std::chrono::nanoseconds;

  // `random` must outlive the schedule. `ttl` is more than zero.
  RefreshSchedule(std::chrono::seconds ttl, core::Random& random) : ttl_(ttl), random_(random) {}

  // From a fetch by a process that had nothing to serve to its next one: drawn from the equilibrium
  // distribution of the intervals below, so that processes started together, or let down together
  // by their store, do not refresh together.
  Duration FirstInterval();

  // From one successful fetch to the next: uniform in [TTL/2, TTL].
  Duration NextInterval();

  // From the `failures`-th failure in a row (from 1) to the next attempt: uniform in [b/2, b],
  // where b doubles from TTL/20 (one second at least) up to the TTL: a fleet asks a store in
  // trouble little more often than a healthy one, and stays spread as it was. `servable`: how much
  // longer the snapshot in hand may be served. After that b is 30 seconds at most, and begins at
  // one.
  Duration RetryInterval(int failures, Duration servable);

 private:
  Duration UniformBetween(Duration low, Duration high);

  std::chrono::seconds ttl_;
  core::Random& random_;
};

}  // namespace qarion::secrets::cache
