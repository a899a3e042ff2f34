// A clock that tests turn by hand.
#pragma once

#include <algorithm>
#include <vector>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::core {

// Starts at one hour past the steady epoch and at 2026-01-01T00:00:00Z.
class FakeClock final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override {
    const std::lock_guard lock(mutex_);
    return SteadyTime(std::chrono::hours(1)) + elapsed_;
  }
  SystemTime SystemNow() const noexcept override {
    const std::lock_guard lock(mutex_);
    return SystemTime(std::chrono::seconds(1767225600)) +
           std::chrono::duration_cast<SystemTime::duration>(elapsed_);
  }

  // Moves time on and wakes every waiter to look at it.
  void Advance(std::chrono::nanoseconds duration) {
    std::vector<Waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      elapsed_ += duration;
      waiters = waiters_;
      ++advances_;
    }
    for (const Waiter& waiter : waiters) {
      const std::lock_guard lock(*waiter.mutex);
      waiter.condition->notify_all();
    }
    const std::lock_guard lock(mutex_);
    if (--advances_ == 0) advanced_.notify_all();
  }

  // Moves time on to the moment that the first waiter waits for, and not further however often it
  // is called; without waiters it does nothing.
  void AdvanceToNextDeadline() {
    std::chrono::nanoseconds left{};
    {
      const std::lock_guard lock(mutex_);
      const auto first = std::ranges::min_element(waiters_, {}, &Waiter::deadline);
      if (first == waiters_.end()) return;
      left = first->deadline - (SteadyTime(std::chrono::hours(1)) + elapsed_);
    }
    if (left > std::chrono::nanoseconds::zero()) Advance(left);
  }

  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override {
    // The condition may end again while the lock is given up to leave the list of waiters.
    while (!done() && SteadyNow() < deadline) WaitOnce(lock, condition, deadline, done);
    return done();
  }

  // How many threads wait for this clock now.
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
  }

 private:
  void WaitOnce(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                SteadyTime deadline, const std::function<bool()>& done) {
    {
      const std::lock_guard own(mutex_);
      waiters_.push_back({lock.mutex(), &condition, deadline});
    }
    while (!done() && SteadyNow() < deadline) condition.wait(lock);
    lock.unlock();
    {
      std::unique_lock own(mutex_);
      waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
        return waiter.condition == &condition;
      }));
      // Whoever turns the clock may be about to wake this waiter, whose condition may end soon.
      advanced_.wait(own, [this] { return advances_ == 0; });
    }
    lock.lock();
  }

  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* condition;
    SteadyTime deadline;
  };

  mutable std::mutex mutex_;
  std::condition_variable advanced_;
  int advances_ = 0;  // under way
  std::chrono::nanoseconds elapsed_{};
  std::vector<Waiter> waiters_;
};

}  // namespace qarion::secrets::core
