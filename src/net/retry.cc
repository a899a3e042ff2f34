#include "net/retry.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <utility>

#include "net/http_date.h"

namespace qarion::secrets::net {
namespace {

constexpr int kRetryCost = 5;
constexpr int kTimeoutRetryCost = 10;
constexpr int kNoRetryIncrement = 1;
constexpr int kMostDoublings = 30;

bool IsWorthAnotherTry(const Attempt& made, const RetryPolicy& policy) {
  if (made.is_final) return false;
  if (!made.result) return made.result.error().IsTransient();
  return policy.is_worth_another_try(*made.result);
}

std::chrono::nanoseconds PauseAfter(const Result<HttpResponse>& result, int attempt,
                                    const RetryPolicy& policy, const RetryContext& context) {
  const auto pause = policy.backoff.Pause(attempt, context.random);
  if (!result) return pause;
  const auto header = result->Find("retry-after");
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

int RetryBudget::Take(bool after_timeout) {
  const int cost = after_timeout ? kTimeoutRetryCost : kRetryCost;
  const std::lock_guard lock(mutex_);
  if (cost > left_) return 0;
  left_ -= cost;
  return cost;
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
    const auto retry_at =
        context.clock.SteadyNow() + PauseAfter(made.result, attempt, policy, context);
    if (attempt >= policy.most_attempts || retry_at >= context.deadline) {
      return std::move(made.result);
    }
    taken = context.budget.Take(made.timed_out);
    if (taken == 0) return std::move(made.result);
    before = std::move(made.result);
    if (!PauseUntil(retry_at, context.clock, context.stop)) {
      return Error(ErrorCode::kUnavailable, "stopped while waiting for another attempt")
          .Cure("nothing: whoever asked does not wait any more");
    }
  }
}

}  // namespace qarion::secrets::net
