#include "qarion/secrets/clock.h"

#include "core/system_clock.h"

namespace qarion::secrets {

bool core::SystemClock::WaitUntil(std::unique_lock<std::mutex>& lock,
                                  std::condition_variable& condition, SteadyTime deadline,
                                  const std::function<bool()>& done) {
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

std::shared_ptr<Clock> Clock::System() {
  static const auto clock = std::make_shared<core::SystemClock>();
  return clock;
}

}  // namespace qarion::secrets
