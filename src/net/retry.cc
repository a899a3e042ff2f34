#include "net/retry.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <utility>

#include "net/http_date.h"

namespace qarion::secrets::net {
namespace {

constexpr int kNoRetryIncrement = 1;
constexpr int kMostDoublings = 30;

bool IsWorthAnotherTry(const Attempt& made, const RetryPolicy& policy) {
  if (made.is_final) return false;
  if (!made.result) return made.result.error().IsTransient();
  return policy.is_worth_another_try(*made.result);
}

std::chrono::nanoseconds PauseAfter(const Attempt& made, int attempt, const RetryPolicy& policy,
                                    const RetryContext& context) {
  if (policy.pause) return policy.pause(made, attempt, context.random);
  const auto pause = policy.backoff.Pause(attempt, context.random);
  if (!made.result) return pause;
  const auto header = made.result->Find("retry-after");
  if (!header) return pause;
  const auto asked =
      ParseRetryAfter(*header, context.clock.SystemNow(), policy.longest_retry_after);
  return asked ? std::max<std::chrono::nanoseconds>(pause, *asked) : pause;
}

}  // namespace

std::chrono::nanoseconds Backoff::Pause(int retry, core::Random& random) const {
  const int doublings = std::clamp(retry - 1, 0, kMostDoublings);
  const double most = std::min(
      static_cast<double>(first.count()) * static_cast<double>(std::int64_t{1} << doublings),
      static_cast<double>(longest.count()));
  return std::chrono::nanoseconds(static_cast<std::int64_t>(most * (1 + random.Uniform()) / 2));
}

bool RetryBudget::Take(int cost) {
  const std::lock_guard lock(mutex_);
  if (cost > left_) return false;
  left_ -= cost;
  return true;
}

void RetryBudget::Return(int taken) {
  const std::lock_guard lock(mutex_);
  left_ = std::min(kCapacity, left_ + (taken > 0 ? taken : kNoRetryIncrement));
}

int RetryBudget::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

bool PauseUntil(Clock::SteadyTime end, Clock& clock, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable stopped;
  const std::stop_callback wake(stop, [&] {
    const std::lock_guard lock(mutex);
    stopped.notify_all();
  });
  std::unique_lock lock(mutex);
  return !clock.WaitUntil(lock, stopped, end, [&] { return stop.stop_requested(); });
}

Result<HttpResponse> SendWithRetries(const std::function<Attempt(int)>& send,
                                     const RetryPolicy& policy, const RetryContext& context) {
  int taken = 0;
  std::optional<Result<HttpResponse>> before;
  for (int attempt = 1;; ++attempt) {
    Attempt made = send(attempt);
    // What an earlier attempt came to says more than that there was no time for this one.
    const bool was_cut = made.timed_out && context.clock.SteadyNow() >= context.deadline;
    if (was_cut && before && !made.is_final) return std::move(*before);
    if (!IsWorthAnotherTry(made, policy)) {
      if (made.result) context.budget.Return(taken);
      return std::move(made.result);
    }
    const auto retry_at = context.clock.SteadyNow() + PauseAfter(made, attempt, policy, context);
    if (attempt >= policy.most_attempts || retry_at >= context.deadline) {
      return std::move(made.result);
    }
    taken = policy.cost(made);
    if (!context.budget.Take(taken)) return std::move(made.result);
    before = std::move(made.result);
    if (!PauseUntil(retry_at, context.clock, context.stop)) {
      return Error(ErrorCode::kUnavailable, "stopped while waiting for another attempt")
          .Cure("nothing: whoever asked does not wait any more");
    }
  }
}

}  // namespace qarion::secrets::net
