// Time and chance that a test decides, beside real connections.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "core/fake_clock.h"
#include "core/random.h"

namespace qarion::secrets::test {

// A FakeClock ahead of the machine's own, by which the HTTP client measures what is left of a
// deadline.
class FakeClockAhead final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override { return fake_.SteadyNow() + ahead_; }
  SystemTime SystemNow() const noexcept override { return fake_.SystemNow(); }
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override {
    return fake_.WaitUntil(lock, condition, deadline - ahead_, done);
  }
  core::FakeClock& fake() noexcept { return fake_; }

 private:
  core::FakeClock fake_;
  const std::chrono::nanoseconds ahead_ = std::chrono::steady_clock::now().time_since_epoch();
};

class FixedRandom final : public core::Random {
 public:
  explicit FixedRandom(double value) : value_(value) {}
  double Uniform() override { return value_; }

 private:
  const double value_;
};

}  // namespace qarion::secrets::test
