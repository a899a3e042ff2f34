#include "jwt/refresh_gate.h"

#include <chrono>

namespace qarion::secrets::jwt {
namespace {

// What a token that nobody here has signed may cost its request,
constexpr std::chrono::milliseconds kPatience{1000};
// and all such tokens together the backend.
constexpr std::chrono::seconds kPause{10};

}  // namespace

bool RefreshGate::Refresh(Runtime& runtime, const Clock& clock) {
  std::unique_lock lock(mutex_);
  if (is_refreshing_) {
    done_.wait(lock, [this] { return !is_refreshing_; });
    return was_refreshed_;
  }
  if (clock.SteadyNow() < closed_until_) return false;
  is_refreshing_ = true;
  ++count_;
  lock.unlock();
  const Status refreshed = runtime.RefreshWithin(kPatience);
  lock.lock();
  is_refreshing_ = false;
  was_refreshed_ = refreshed.has_value();
  closed_until_ = clock.SteadyNow() + kPause;
  done_.notify_all();
  return was_refreshed_;
}

std::uint64_t RefreshGate::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace qarion::secrets::jwt
