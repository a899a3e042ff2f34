// Keeps credentials for as long as they are good, and gets new ones in time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::net {

// How long before their end credentials are renewed. With less than `advisory` left one caller gets
// new ones while others go on with the old, and a failure within half of the caller's time is only
// noted; with less than `mandatory` everybody waits, and a failure is an error.
struct RenewalWindows {
  std::chrono::seconds advisory;
  std::chrono::seconds mandatory;
};

// `Credential` has a member expires_at (maybe a time; nothing: no end is known), Share() for the
// same once more, and IsSameAs(other).
//
// Thread-safety: every member from several threads; one of them fetches, the others wait for it.
template <typename Credential>
class CredentialCache {
 public:
  using Fetch = std::function<Result<Credential>(const Call&)>;
  using Log = std::function<void(std::string_view)>;

  // `what`: "AWS credentials", for errors. `clock` is the one that expiry is held against, and
  // outlives this. `log` receives failures that are covered by credentials that still live.
  CredentialCache(std::string what, RenewalWindows windows, Fetch fetch, Clock& clock, Log log)
      : what_(std::move(what)),
        windows_(windows),
        fetch_(std::move(fetch)),
        clock_(clock),
        log_(std::move(log)) {}

  // What belongs together. Where `fetch` brings what has ended already, that is given all the same,
  // and fetched anew at each call: the clock may be wrong, and whom they are shown to knows.
  // Errors: those of `fetch`.
  Result<Credential> Get(const Call& call) {
    const std::stop_callback wake(call.stop, [this] { Wake(); });
    Lock lock(mutex_);
    if (held_ && (!HasLess(windows_.advisory) || (is_fetching_ && !HasLess(windows_.mandatory)))) {
      return held_->Share();
    }
    if (!held_ || HasLess(windows_.mandatory)) return FetchNew(lock, call);
    // Half of the time is for what the credentials are for, should nobody answer.
    const auto now = clock_.SteadyNow();
    auto fetched = FetchNew(lock, {.deadline = now + (call.deadline - now) / 2, .stop = call.stop});
    if (fetched) return fetched;
    const std::string problem = fetched.error().reason();
    auto kept = held_->Share();
    lock.unlock();
    log_("new " + what_ + " could not be got, and those there are last a while yet: " + problem);
    return kept;
  }

  // A service refused `refused`: fetches once more, unless somebody else did since. Nothing where
  // the same came back.
  Result<std::optional<Credential>> Replace(const Credential& refused, const Call& call) {
    const std::stop_callback wake(call.stop, [this] { Wake(); });
    Lock lock(mutex_);
    if (held_ && !held_->IsSameAs(refused)) return std::optional(held_->Share());
    auto fetched = FetchNew(lock, call, &refused);
    if (!fetched) return std::move(fetched).error();
    if (fetched->IsSameAs(refused)) return std::optional<Credential>();
    return std::optional(std::move(*fetched));
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // A stop calls this. The callback is declared before the lock that its owner takes: its end waits
  // for a call under way, which waits for the lock.
  void Wake() {
    const Lock lock(mutex_);
    fetched_.notify_all();
  }

  bool HasLess(std::chrono::seconds left) const {  // with mutex_ held
    return held_->expires_at && *held_->expires_at - clock_.SystemNow() < left;
  }

  // Gives `lock` up meanwhile. Whatever is thrown, the next caller finds nobody fetching.
  Result<Credential> FetchAlone(Lock& lock, const Call& call) {
    struct Turn {
      CredentialCache& cache;
      Lock& lock;
      ~Turn() {
        lock.lock();
        cache.is_fetching_ = false;
        cache.fetched_.notify_all();
      }
    };
    is_fetching_ = true;
    lock.unlock();
    const Turn turn{*this, lock};
    return fetch_(call);
  }

  // Called with `lock`, which it gives up meanwhile. What another thread fetched since counts too,
  // unless that is what was `refused`.
  Result<Credential> FetchNew(Lock& lock, const Call& call, const Credential* refused = nullptr) {
    if (is_fetching_) {
      clock_.WaitUntil(lock, fetched_, call.deadline,
                       [&] { return !is_fetching_ || call.stop.stop_requested(); });
      if (is_fetching_) {
        return Error(ErrorCode::kUnavailable,
                     "another thread's search for " + what_ + " takes long")
            .Cure("see where they are from: qsecrets check");
      }
      const bool is_refused = held_ && refused != nullptr && held_->IsSameAs(*refused);
      if (held_ && !is_refused && !HasLess(windows_.mandatory)) return held_->Share();
    }
    auto fetched = FetchAlone(lock, call);
    if (!fetched) return fetched;
    held_ = fetched->Share();
    return fetched;
  }

  const std::string what_;
  const RenewalWindows windows_;
  const Fetch fetch_;
  Clock& clock_;
  const Log log_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable fetched_;
  std::optional<Credential> held_;
  bool is_fetching_ = false;
};

}  // namespace qarion::secrets::net
