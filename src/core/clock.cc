#include "qarion/secrets/clock.h"

#include <ctime>

namespace qarion::secrets {
namespace {

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
                 SteadyTime deadline, const std::function<bool()>& done) override {
    // The coarse clock lags, so a wait by the exact one may end a tick before SteadyNow() shows it.
    constexpr auto kTick = std::chrono::milliseconds(4);
    while (!done() && SteadyNow() < deadline) {
      if (deadline > SteadyTime::max() - kTick) {
        condition.wait(lock);
      } else {
        condition.wait_until(lock, deadline + kTick);
      }
    }
    return done();
  }
};

}  // namespace

std::shared_ptr<Clock> Clock::System() {
  static const auto clock = std::make_shared<SystemClock>();
  return clock;
}

}  // namespace qarion::secrets
