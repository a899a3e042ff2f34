// The time that AWS services go by.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::aws {

// This machine's clock, corrected by what services say: signatures and the expiry of credentials
// are held against theirs. Thread-safety: every member from several threads.
class ServiceClock final : public Clock {
 public:
  // `machine` outlives it.
  explicit ServiceClock(Clock& machine) : machine_(machine) {}

  SteadyTime SteadyNow() const noexcept override { return machine_.SteadyNow(); }
  SystemTime SystemNow() const noexcept override { return machine_.SystemNow() + offset(); }
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override {
    return machine_.WaitUntil(lock, condition, deadline, done);
  }

  // How far that time is ahead of this machine's.
  std::chrono::seconds LeadOf(std::chrono::sys_seconds time) const {
    return time - std::chrono::floor<std::chrono::seconds>(machine_.SystemNow());
  }
  // How far the services' clock is ahead of this machine's, where that had to be corrected.
  std::chrono::seconds offset() const noexcept { return std::chrono::seconds(offset_.load()); }
  void Correct(std::chrono::seconds offset) noexcept { offset_ = offset.count(); }

 private:
  Clock& machine_;
  std::atomic<std::int64_t> offset_ = 0;  // in seconds
};

}  // namespace qarion::secrets::aws
