// A clock for one thread that does not wait.
#pragma once

#include <chrono>
#include <vector>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::test {

// Runs with the machine's, by which HTTP clients measure what is left of a deadline, but for
// pauses: these take no time, and are noted. The clock on the wall stands still at
// 2026-01-01T00:00:00Z between them.
class SkippingClock final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override {
    return std::chrono::steady_clock::now() + skipped_;
  }
  SystemTime SystemNow() const noexcept override {
    return SystemTime(std::chrono::seconds(1767225600)) +
           std::chrono::duration_cast<SystemTime::duration>(skipped_);
  }
  bool WaitUntil(std::unique_lock<std::mutex>&, std::condition_variable&, SteadyTime deadline,
                 const std::function<bool()>& done) override {
    const auto left = deadline - SteadyNow();
    if (!done() && left > left.zero()) {
      pauses_.push_back(std::chrono::round<std::chrono::milliseconds>(left));
      skipped_ += left;
    }
    return done();
  }

  void Advance(std::chrono::nanoseconds duration) { skipped_ += duration; }
  // Those that were asked for.
  const std::vector<std::chrono::milliseconds>& pauses() const noexcept { return pauses_; }

 private:
  std::chrono::nanoseconds skipped_{};
  std::vector<std::chrono::milliseconds> pauses_;
};

}  // namespace qarion::secrets::test
