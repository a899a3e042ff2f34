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

  // From the first fetch of a process to its first refresh: drawn from the equilibrium distribution
  // of the intervals below, so that processes started together do not refresh together.
  Duration FirstInterval();

  // From one successful fetch to the next: uniform in [TTL/2, TTL].
  Duration NextInterval();

  // From the `failures`-th failure in a row (from 1) to the next attempt: uniform in [b/2, b],
  // where b doubles from one second up to the TTL, so that a long outage keeps the fleet spread as
  // it was. Where nothing is left to be served, b is 30 seconds at most.
  Duration RetryInterval(int failures, bool expired);

 private:
  Duration UniformBetween(Duration low, Duration high);

  std::chrono::seconds ttl_;
  core::Random& random_;
};

}  // namespace qarion::secrets::cache
