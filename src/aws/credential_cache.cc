#include "aws/credential_cache.h"

#include <string>
#include <utility>

namespace qarion::secrets::aws {
namespace {

using std::chrono::minutes;

constexpr minutes kAdvisory{15};
constexpr minutes kMandatory{10};

bool IsSame(const Credentials& a, const Credentials& b) {
  return a.keys.access_key_id == b.keys.access_key_id &&
         a.keys.secret_access_key.ConstantTimeEquals(b.keys.secret_access_key) &&
         a.keys.session_token.ConstantTimeEquals(b.keys.session_token);
}

}  // namespace

CredentialCache::CredentialCache(Fetch fetch, Clock& clock,
                                 std::function<void(std::string_view)> log)
    : fetch_(std::move(fetch)), clock_(clock), log_(std::move(log)) {}

bool CredentialCache::HasLess(minutes left) const {
  return held_->expires_at && *held_->expires_at - clock_.SystemNow() < left;
}

// A stop calls this. The callback is declared before the lock that its owner takes: its end waits
// for a call under way, which waits for the lock.
void CredentialCache::Wake() {
  const Lock lock(mutex_);
  fetched_.notify_all();
}

Result<Credentials> CredentialCache::Get(const net::Call& call) {
  const std::stop_callback wake(call.stop, [this] { Wake(); });
  Lock lock(mutex_);
  if (held_ && (!HasLess(kAdvisory) || (is_fetching_ && !HasLess(kMandatory)))) {
    return held_->Share();
  }
  if (!held_ || HasLess(kMandatory)) return FetchNew(lock, call);
  // Half of the time is for what the credentials are for, should nobody answer.
  const auto now = clock_.SteadyNow();
  auto fetched = FetchNew(lock, {.deadline = now + (call.deadline - now) / 2, .stop = call.stop});
  if (fetched) return fetched;
  const std::string problem = fetched.error().reason();
  auto kept = held_->Share();
  lock.unlock();
  log_("new AWS credentials could not be got, and those there are last a while yet: " + problem);
  return kept;
}

Result<std::optional<Credentials>> CredentialCache::Replace(const Credentials& refused,
                                                            const net::Call& call) {
  const std::stop_callback wake(call.stop, [this] { Wake(); });
  Lock lock(mutex_);
  if (held_ && !IsSame(*held_, refused)) return std::optional(held_->Share());
  auto fetched = FetchNew(lock, call, &refused);
  if (!fetched) return std::move(fetched).error();
  if (IsSame(*fetched, refused)) return std::optional<Credentials>();
  return std::optional(std::move(*fetched));
}

// Gives `lock` up meanwhile. Whatever is thrown, the next caller finds nobody fetching.
Result<Credentials> CredentialCache::FetchAlone(Lock& lock, const net::Call& call) {
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
Result<Credentials> CredentialCache::FetchNew(Lock& lock, const net::Call& call,
                                              const Credentials* refused) {
  if (is_fetching_) {
    clock_.WaitUntil(lock, fetched_, call.deadline,
                     [&] { return !is_fetching_ || call.stop.stop_requested(); });
    if (is_fetching_) {
      return Error(ErrorCode::kUnavailable,
                   "another thread's search for AWS credentials takes long")
          .Cure("see the source of the credentials: qsecrets check");
    }
    const bool is_refused = held_ && refused != nullptr && IsSame(*held_, *refused);
    if (held_ && !is_refused && !HasLess(kMandatory)) return held_->Share();
  }
  auto fetched = FetchAlone(lock, call);
  if (!fetched) return fetched;
  held_ = fetched->Share();
  return fetched;
}

}  // namespace qarion::secrets::aws
