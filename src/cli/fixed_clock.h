// The time that `--now` says.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::cli {

// Stands still for what others know too; durations pass as ever.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(SystemTime now) noexcept : now_(now) {}

  SteadyTime SteadyNow() const noexcept override { return std::chrono::steady_clock::now(); }
  SystemTime SystemNow() const noexcept override { return now_; }
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override {
    return condition.wait_until(lock, deadline, done);
  }

 private:
  SystemTime now_;
};

// The machine's clock where `now`, in seconds since 1970, is not given.
inline std::shared_ptr<Clock> ClockOf(std::optional<std::int64_t> now) {
  if (!now) return Clock::System();
  return std::make_shared<FixedClock>(Clock::SystemTime(std::chrono::seconds(*now)));
}

}  // namespace qarion::secrets::cli
