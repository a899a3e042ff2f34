// When a request is tried again, and after which pause.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <mutex>
#include <stop_token>

#include "core/random.h"
#include "net/http.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::net {

// Pauses that double from `first` to `longest`, each with chance taken off: uniform in [b/2, b].
struct Backoff {
  std::chrono::nanoseconds first = std::chrono::seconds(1);
  std::chrono::nanoseconds longest = std::chrono::seconds(20);

  // Before the `retry`-th retry, from 1.
  std::chrono::nanoseconds Pause(int retry, core::Random& random) const;
};

// What one attempt came to: an answer of any status, or an error that says whether another try can
// help.
struct Attempt {
  Result<HttpResponse> result;
  bool timed_out = false;
  bool was_sent = true;   // false: the server has certainly not seen the request
  bool is_final = false;  // there must not be another
};

struct RetryPolicy {
  int most_attempts = 3;
  // Answers that are worth another try, beside failures to get any.
  std::function<bool(const HttpResponse&)> is_worth_another_try = [](const HttpResponse& response) {
    constexpr int kStatuses[] = {429, 500, 502, 503, 504};
    return std::ranges::find(kStatuses, response.status) != std::end(kStatuses);
  };
  Backoff backoff;
  std::chrono::seconds longest_retry_after{30};
  // The pause after the attempt of that number; where it is empty, `backoff`, which a server's
  // Retry-After makes longer, never shorter.
  std::function<std::chrono::nanoseconds(const Attempt& made, int attempt, core::Random&)> pause;
  // What another attempt costs the budget; these figures are those of most AWS SDKs.
  std::function<int(const Attempt& made)> cost = [](const Attempt& made) {
    return made.timed_out ? 10 : 5;
  };
};

// Bounds the retries of many requests together, so that they do not multiply the load on a store
// that is down (the retry quota of the AWS SDKs' standard mode): a retry costs something; a success
// brings back what its retry cost, or 1.
//
// Thread-safety: every member from several threads.
class RetryBudget {
 public:
  static constexpr int kCapacity = 500;

  // Whether there was as much left; it is taken then.
  bool Take(int cost);
  // A request succeeded whose last retry cost `taken`, 0 where it had none.
  void Return(int taken);

  int left() const;

 private:
  mutable std::mutex mutex_;
  int left_ = kCapacity;
};

struct RetryContext {
  Clock& clock;
  core::Random& random;
  RetryBudget& budget;
  Clock::SteadyTime deadline;  // of all attempts and pauses together
  std::stop_token stop;
};

// Waits until `end`. Returns whether nobody asked it to stop meanwhile.
bool PauseUntil(Clock::SteadyTime end, Clock& clock, const std::stop_token& stop);

// Calls `send(n)` for n = 1, 2, ... until an attempt is worth no other, and returns what the last
// one came to. A pause that would reach the deadline is not begun. kUnavailable: stopped while it
// paused.
Result<HttpResponse> SendWithRetries(const std::function<Attempt(int)>& send,
                                     const RetryPolicy& policy, const RetryContext& context);

}  // namespace qarion::secrets::net
