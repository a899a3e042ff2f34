// The machine's clocks. The steady one is read inline, because a cached read of a secret asks for
// it each time.
#pragma once

#include <ctime>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::core {

class SystemClock final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override {
    // std::chrono::steady_clock is CLOCK_MONOTONIC; the coarse one has the same zero and costs a
    // quarter.
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return SteadyTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
  }
  SystemTime SystemNow() const noexcept override { return std::chrono::system_clock::now(); }
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override;
};

}  // namespace qarion::secrets::core
