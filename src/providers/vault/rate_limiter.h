// VAULT_RATE_LIMIT: a token bucket.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include "providers/vault/vault_settings.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::vault {

// Thread-safety: every member from several threads.
class RateLimiter {
 public:
  RateLimiter(RateLimit limit, Clock::SteadyTime now)
      : limit_(limit), tokens_(limit.burst), filled_at_(now) {}

  // Takes a place in the queue and returns when its turn is. Takes none, and returns nothing, where
  // that is not before `deadline`.
  std::optional<Clock::SteadyTime> Reserve(Clock::SteadyTime now, Clock::SteadyTime deadline) {
    const std::lock_guard lock(mutex_);
    const std::chrono::duration<double> passed = now - filled_at_;
    tokens_ = std::min<double>(limit_.burst, tokens_ + passed.count() * limit_.per_second);
    filled_at_ = now;
    const std::chrono::duration<double> wait(std::max(0.0, (1 - tokens_) / limit_.per_second));
    if (wait >= deadline - now) return std::nullopt;
    tokens_ -= 1;
    return now + std::chrono::duration_cast<std::chrono::nanoseconds>(wait);
  }

 private:
  const RateLimit limit_;
  std::mutex mutex_;
  double tokens_;
  Clock::SteadyTime filled_at_;
};

}  // namespace qarion::secrets::vault
