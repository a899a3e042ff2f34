#include "cache/snapshot_cache.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "cache/change_hub.h"
#include "cache/refresh_schedule.h"
#include "core/thread.h"

namespace qarion::secrets::cache {
namespace {

using SteadyTime = Clock::SteadyTime;
using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How long one background fetch may take.
constexpr seconds kShortestFetch{5};
// Between two refreshes, whatever the store says about expiry.
constexpr seconds kShortestInterval{1};
constexpr milliseconds kFirstStartRetry{100};
constexpr milliseconds kLongestStartRetry{5000};
// How far SteadyNow() may be behind: the coarse clock ticks every 4 ms, with some kernels every 10.
constexpr milliseconds kClockTick{10};

constexpr std::size_t kStripes = 16;
constexpr std::size_t kCacheLine = 64;

bool Differ(const Snapshot& before, const Snapshot& after) {
  if (before.version() != after.version()) return true;
  if (before.fields().size() != after.fields().size()) return true;
  return std::ranges::any_of(after.fields(), [&](const Field& field) {
    const Secret* old = before.Find(field.name);
    return old == nullptr || !old->ConstantTimeEquals(field.value);
  });
}

Error ShuttingDown() {
  return Error(ErrorCode::kUnavailable, "the runtime is shutting down")
      .Cure("do not read secrets after the runtime was destroyed");
}

Error NotNow() {
  return Error(ErrorCode::kTryAgain, "the store is not asked again so soon")
      .Cure("try again later");
}

// Which stripe this thread uses, dealt out in turn.
std::size_t StripeOfThisThread() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t stripe = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return stripe;
}

}  // namespace

class SnapshotCache::Impl {
 public:
  Impl(CacheOptions options, FetchFunction fetch, std::shared_ptr<Clock> clock,
       std::unique_ptr<core::Random> random, std::function<void(std::string_view)> log)
      : options_(options),
        fetch_(std::move(fetch)),
        clock_(std::move(clock)),
        random_(std::move(random)),
        log_(log ? std::move(log) : [](std::string_view) {}),
        schedule_(std::max(options.ttl, seconds(1)), *random_),
        gate_(*clock_) {}
  ~Impl();

  Status Start();
  Status Refresh();
  Status RefreshSparingly(Duration patience, Duration pause);
  CacheStatus status() const;
  std::shared_ptr<void> Subscribe(ChangeCallback callback);

  // The snapshot to read from now, by the rules at the top of the header. May wait for a fetch.
  Result<std::shared_ptr<const Snapshot>> Serve();

  const ReadGate& gate() const noexcept { return gate_; }
  std::pair<std::shared_ptr<const Snapshot>, std::uint64_t> Published() const {
    const std::lock_guard lock(mutex_);
    return {snapshot_, gate_.generation()};
  }
  std::optional<Secret> FindPublished(std::string_view name);

 private:
  using Lock = std::unique_lock<std::mutex>;

  // One for some threads each, so that readers do not meet at one lock or counter.
  struct alignas(kCacheLine) Stripe {
    std::mutex mutex;
    std::shared_ptr<const Snapshot> snapshot;
  };

  // Counts a caller that may be waiting, so that the destructor can let it go first.
  class Visit {
   public:
    explicit Visit(Impl& impl) : impl_(impl) { ++impl_.visitors_; }
    ~Visit() {
      if (--impl_.visitors_ == 0) impl_.no_visitors_.notify_all();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    Impl& impl_;
  };

  // All of the following are called with the lock held; those that take it give it up meanwhile.
  void Fetch(Lock& lock, SteadyTime deadline);
  Result<Fetched> CallFetch(const FetchContext& context) noexcept;
  void TakeSuccess(Fetched fetched);
  void TakeFailure(Error error);
  Status FetchAfterArrival(Lock& lock, SteadyTime deadline);
  void Publish(std::shared_ptr<const Snapshot> snapshot);
  void UpdateGate();
  bool MayBeAsked() const;
  void EnsureThread();
  void Run();
  void DeliverChanges(Lock& lock);
  SteadyTime ServeUntil() const { return refusal_ ? fresh_until_ : stale_until_; }
  SteadyTime FetchDeadline() const {
    return clock_->SteadyNow() + std::clamp(options_.ttl, kShortestFetch, kLongestFetch);
  }

  const CacheOptions options_;
  const FetchFunction fetch_;
  const std::shared_ptr<Clock> clock_;
  const std::unique_ptr<core::Random> random_;
  const std::function<void(std::string_view)> log_;

  mutable std::mutex mutex_;  // never held during a fetch or a callback
  RefreshSchedule schedule_;
  std::shared_ptr<const Snapshot> snapshot_;
  SteadyTime fetched_at_;                        // or confirmed to be current
  std::optional<Clock::SystemTime> expires_at_;  // by the store's own word
  SteadyTime fresh_until_;
  SteadyTime stale_until_;
  SteadyTime due_;                   // of the next fetch; after a failure, of the retry
  int failures_ = 0;                 // in a row
  std::optional<Error> last_error_;  // of the latest fetch
  std::optional<Error> refusal_;     // the latest definite answer since the last success
  std::uint64_t asked_for_ = 0;      // the number of the fetch that was asked for sparingly
  SteadyTime asked_until_;           // how long those who asked wait, all together
  SteadyTime not_asked_before_ = SteadyTime::min();
  bool is_fetching_ = false;
  std::uint64_t fetches_begun_ = 0;
  std::uint64_t fetches_ended_ = 0;
  std::condition_variable fetch_ended_;
  std::deque<std::pair<std::shared_ptr<const Snapshot>, std::shared_ptr<const Snapshot>>> changes_;
  ChangeHub hub_;
  std::condition_variable wake_;  // of the background thread, and of Start() between attempts
  std::size_t visitors_ = 0;
  std::condition_variable no_visitors_;
  bool is_stopping_ = false;
  bool thread_refused_ = false;
  std::stop_source stop_;

  std::array<Stripe, kStripes> stripes_;
  ReadGate gate_;

  std::jthread thread_;
  const pid_t process_ = getpid();
};

SnapshotCache::Impl::~Impl() {
  Lock lock(mutex_);
  is_stopping_ = true;
  stop_.request_stop();
  wake_.notify_all();
  fetch_ended_.notify_all();
  no_visitors_.wait(lock, [this] { return visitors_ == 0; });
  lock.unlock();
  if (thread_.joinable()) thread_.join();
}

Status SnapshotCache::Impl::Start() {
  Lock lock(mutex_);
  const Visit visit(*this);
  const SteadyTime deadline = clock_->SteadyNow() + options_.start_timeout;
  std::optional<Error> failure;  // the last one that was not only for want of time
  for (milliseconds longest = kFirstStartRetry;;
       longest = std::min(longest * 2, kLongestStartRetry)) {
    Status fetched = FetchAfterArrival(lock, deadline);
    if (fetched || !fetched.error().IsWorthRepeating()) return fetched;
    if (!failure || clock_->SteadyNow() + kClockTick < deadline)
      failure = std::move(fetched).error();
    const auto pause = std::chrono::duration_cast<Duration>(longest) / 2;
    const SteadyTime retry = clock_->SteadyNow() + pause +
                             Duration(static_cast<Duration::rep>(
                                 random_->Uniform() * static_cast<double>(pause.count())));
    if (retry >= deadline) {
      return Error(failure->code(), failure->reason() + "; gave up after " +
                                        std::to_string(options_.start_timeout.count()) + " ms")
          .Cure(failure->cure());
    }
    if (clock_->WaitUntil(lock, wake_, retry, [this] { return is_stopping_; }))
      return ShuttingDown();
  }
}

Status SnapshotCache::Impl::Refresh() {
  Lock lock(mutex_);
  const Visit visit(*this);
  return FetchAfterArrival(lock, FetchDeadline());
}

bool SnapshotCache::Impl::MayBeAsked() const {
  const SteadyTime now = clock_->SteadyNow();
  return now >= not_asked_before_ && !(last_error_ && now < due_);
}

Status SnapshotCache::Impl::RefreshSparingly(Duration patience, Duration pause) {
  if (options_.ttl == seconds(0)) {
    return Error(ErrorCode::kUsage, "with SECRETS_CACHE_TTL=0 every read fetches").Cure("read");
  }
  Lock lock(mutex_);
  const Visit visit(*this);
  const SteadyTime now = clock_->SteadyNow();
  if (getpid() != process_) {  // a forked child, where the thread is not, nor a fetch under way
    if (is_fetching_ || !MayBeAsked()) return NotNow();
    not_asked_before_ = now + pause;
    return FetchAfterArrival(lock, now + patience);
  }
  // What is called back there would wait for itself.
  if (thread_.get_id() == std::this_thread::get_id()) return NotNow();
  if (fetches_ended_ >= asked_for_) {
    if (!MayBeAsked()) return NotNow();
    EnsureThread();
    if (!thread_.joinable()) return NotNow();
    not_asked_before_ = now + pause;
    asked_for_ = fetches_begun_ + 1;
    asked_until_ = now + patience;
  }
  while (fetches_ended_ < asked_for_) {
    if (is_stopping_) return ShuttingDown();
    // Again where a fetch that was under way ends, which plans the next one for later.
    due_ = std::min(due_, clock_->SteadyNow());
    wake_.notify_all();
    const std::uint64_t ended = fetches_ended_;
    const auto has_moved = [&] { return fetches_ended_ != ended || is_stopping_; };
    if (!clock_->WaitUntil(lock, fetch_ended_, asked_until_, has_moved)) return NotNow();
    if (last_error_) break;  // of that fetch: the store is not hurried
  }
  asked_for_ = std::min(asked_for_, fetches_ended_);
  if (last_error_) return *last_error_;
  return {};
}

// Waits for the first fetch that begins after this call, and begins it if nobody else does.
Status SnapshotCache::Impl::FetchAfterArrival(Lock& lock, SteadyTime deadline) {
  const std::uint64_t wanted = fetches_begun_ + 1;
  while (fetches_ended_ < wanted) {
    if (is_stopping_) return ShuttingDown();
    if (is_fetching_) {
      fetch_ended_.wait(lock, [this] { return !is_fetching_ || is_stopping_; });
    } else {
      Fetch(lock, deadline);
    }
  }
  if (last_error_) return *last_error_;
  return {};
}

Result<std::shared_ptr<const Snapshot>> SnapshotCache::Impl::Serve() {
  Lock lock(mutex_);
  const Visit visit(*this);
  if (options_.ttl == seconds(0)) {
    if (Status fetched = FetchAfterArrival(lock, FetchDeadline()); !fetched) {
      return std::move(fetched).error();
    }
    return snapshot_;
  }
  for (;;) {
    if (is_stopping_) return ShuttingDown();
    const SteadyTime now = clock_->SteadyNow();
    if (snapshot_ && now < ServeUntil()) {
      if (now >= due_) EnsureThread();
      return snapshot_;
    }
    if (last_error_ && now < due_) {  // a retry is not due yet
      EnsureThread();
      return refusal_ ? *refusal_ : *last_error_;
    }
    if (is_fetching_) {
      fetch_ended_.wait(lock, [this] { return !is_fetching_ || is_stopping_; });
    } else {
      Fetch(lock, FetchDeadline());
    }
  }
}

std::optional<Secret> SnapshotCache::Impl::FindPublished(std::string_view name) {
  Stripe& stripe = stripes_[StripeOfThisThread()];
  const std::lock_guard lock(stripe.mutex);
  const Secret* found = stripe.snapshot->Find(name);
  if (found == nullptr) return std::nullopt;
  return found->Share();
}

Result<Fetched> SnapshotCache::Impl::CallFetch(const FetchContext& context) noexcept {
  try {
    auto fetched = fetch_(context);
    const bool nothing_to_keep = context.known_version.empty();
    if (fetched && !fetched->snapshot && nothing_to_keep) {
      return Error(ErrorCode::kInternal, "the backend says `not modified` to a first request")
          .Cure("report this to the author of the backend");
    }
    return fetched;
  } catch (...) {
    // What was thrown may quote anything, so it is not shown.
    return Error(ErrorCode::kInternal, "the backend threw an exception")
        .Cure("report this to the author of the backend");
  }
}

void SnapshotCache::Impl::Fetch(Lock& lock, SteadyTime deadline) {
  is_fetching_ = true;
  ++fetches_begun_;
  const std::string known_version = snapshot_ ? snapshot_->version() : "";
  const FetchContext context{
      .known_version = known_version, .deadline = deadline, .stop = stop_.get_token()};
  lock.unlock();
  auto fetched = CallFetch(context);
  lock.lock();
  is_fetching_ = false;
  ++fetches_ended_;
  if (fetched) {
    TakeSuccess(std::move(*fetched));
  } else {
    TakeFailure(std::move(fetched).error());
  }
  UpdateGate();
  fetch_ended_.notify_all();
  wake_.notify_all();
}

void SnapshotCache::Impl::TakeSuccess(Fetched fetched) {
  const SteadyTime now = clock_->SteadyNow();
  Duration lifetime = options_.ttl;
  Duration stale = options_.max_stale;
  // A version that is merely confirmed keeps the end it had, unless another one is given.
  if (fetched.snapshot || fetched.expires_at) expires_at_ = fetched.expires_at;
  if (expires_at_) {
    const auto left = std::chrono::duration_cast<Duration>(*expires_at_ - clock_->SystemNow());
    if (left <= Duration::zero()) {
      return TakeFailure(
          Error(ErrorCode::kBadData, "the store says that the values have expired")
              .Cure("write new values, and compare this machine's clock with the store's"));
    }
    stale = std::clamp(left - lifetime, Duration::zero(), stale);
    lifetime = std::min(lifetime, left);
  }

  if (options_.ttl > seconds(0)) {
    const bool had_nothing_to_serve = !snapshot_ || now >= ServeUntil();
    const Duration interval =
        had_nothing_to_serve ? schedule_.FirstInterval() : schedule_.NextInterval();
    // Where the store shortens the lifetime, the interval shrinks with it.
    const double share =
        static_cast<double>(lifetime.count()) / static_cast<double>(Duration(options_.ttl).count());
    due_ = now +
           std::max<Duration>(
               Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * share)),
               std::min<Duration>(kShortestInterval, options_.ttl));
  }
  fetched_at_ = now;
  fresh_until_ = now + lifetime;
  stale_until_ = fresh_until_ + stale;
  if (failures_ > 0) log_("the backend answers again");
  failures_ = 0;
  last_error_.reset();
  refusal_.reset();
  if (fetched.snapshot) Publish(std::move(fetched.snapshot));
}

void SnapshotCache::Impl::TakeFailure(Error error) {
  const SteadyTime now = clock_->SteadyNow();
  ++failures_;
  if (!error.IsTransient()) refusal_ = error;
  const Duration servable = snapshot_ ? ServeUntil() - now : Duration::zero();
  due_ = now + schedule_.RetryInterval(failures_, servable);
  // Where nobody waits for the answer, or somebody who goes on waiting.
  if (failures_ == 1 && (snapshot_ || error.IsWorthRepeating())) {
    log_("the backend fails: " + error.reason());
  }
  last_error_ = std::move(error);
}

void SnapshotCache::Impl::Publish(std::shared_ptr<const Snapshot> snapshot) {
  const auto before = std::exchange(snapshot_, std::move(snapshot));
  for (Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    stripe.snapshot = snapshot_;
  }
  gate_.BeginGeneration();
  if (before && thread_.joinable() && Differ(*before, *snapshot_)) {
    changes_.emplace_back(before, snapshot_);
  }
}

void SnapshotCache::Impl::UpdateGate() {
  if (!snapshot_ || options_.ttl == seconds(0)) return;
  // Without a thread somebody has to notice that a refresh is due.
  const SteadyTime until = thread_.joinable() ? ServeUntil() : std::min(due_, ServeUntil());
  gate_.OpenUntil(until);
}

void SnapshotCache::Impl::EnsureThread() {
  if (thread_.joinable() || is_stopping_) return;
  try {
    thread_ = core::StartThread([this] { Run(); });
  } catch (const std::system_error&) {
    if (!std::exchange(thread_refused_, true)) {
      log_("no thread can be started for refreshing; reads go on trying");
    }
  }
  UpdateGate();
}

void SnapshotCache::Impl::Run() {
  Lock lock(mutex_);
  while (!is_stopping_) {
    DeliverChanges(lock);
    const SteadyTime due = options_.ttl == seconds(0) ? SteadyTime::max() : due_;
    clock_->WaitUntil(lock, wake_, due, [&] {
      return is_stopping_ || !changes_.empty() || (options_.ttl > seconds(0) && due_ != due);
    });
    if (is_stopping_ || clock_->SteadyNow() < due) continue;
    if (is_fetching_) {
      fetch_ended_.wait(lock, [this] { return !is_fetching_ || is_stopping_; });
    } else if (due == due_) {
      Fetch(lock, FetchDeadline());
    }
  }
}

void SnapshotCache::Impl::DeliverChanges(Lock& lock) {
  while (!changes_.empty() && !is_stopping_) {
    const auto [before, after] = std::move(changes_.front());
    changes_.pop_front();
    lock.unlock();
    hub_.Deliver(*before, *after, log_);
    lock.lock();
  }
}

std::shared_ptr<void> SnapshotCache::Impl::Subscribe(ChangeCallback callback) {
  auto subscription = hub_.Subscribe(std::move(callback));
  const std::lock_guard lock(mutex_);
  EnsureThread();
  return subscription;
}

CacheStatus SnapshotCache::Impl::status() const {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_->SteadyNow();
  CacheStatus status{.snapshot = snapshot_, .last_error = last_error_};
  const auto rounded = [](Duration duration) {
    return std::chrono::duration_cast<milliseconds>(std::max(duration, Duration::zero()));
  };
  if (snapshot_) {
    status.age = rounded(now - fetched_at_);
    status.fresh = options_.ttl == seconds(0) ? !last_error_ : now < fresh_until_;
    status.expired = options_.ttl > seconds(0) && now >= ServeUntil();
  }
  if (options_.ttl > seconds(0)) status.next_refresh_in = rounded(due_ - now);
  return status;
}

SnapshotCache::SnapshotCache(CacheOptions options, FetchFunction fetch,
                             std::shared_ptr<Clock> clock, std::unique_ptr<core::Random> random,
                             std::function<void(std::string_view)> log)
    : impl_(std::make_unique<Impl>(options, std::move(fetch), std::move(clock), std::move(random),
                                   std::move(log))) {}

SnapshotCache::~SnapshotCache() = default;

Status SnapshotCache::Start() { return impl_->Start(); }
Status SnapshotCache::Refresh() { return impl_->Refresh(); }
Status SnapshotCache::RefreshSparingly(milliseconds patience, milliseconds pause) {
  return impl_->RefreshSparingly(patience, pause);
}
CacheStatus SnapshotCache::status() const { return impl_->status(); }

Result<std::shared_ptr<const Snapshot>> SnapshotCache::Current() {
  if (impl_->gate().IsOpen()) return impl_->Published().first;
  return impl_->Serve();
}

Result<std::optional<Secret>> SnapshotCache::Find(std::string_view name) {
  if (impl_->gate().IsOpen()) return impl_->FindPublished(name);
  auto snapshot = impl_->Serve();
  if (!snapshot) return std::move(snapshot).error();
  const Secret* found = (*snapshot)->Find(name);
  if (found == nullptr) return std::optional<Secret>();
  return std::optional<Secret>(found->Share());
}

std::shared_ptr<void> SnapshotCache::Subscribe(ChangeCallback callback) {
  return impl_->Subscribe(std::move(callback));
}

SnapshotCache::Reader::Reader(SnapshotCache& cache)
    : cache_(cache.impl_.get()), gate_(&cache_->gate()) {}

Result<const Snapshot*> SnapshotCache::Reader::Current() {
  if (gate_->IsOpen()) {
    std::tie(snapshot_, generation_) = cache_->Published();
    return snapshot_.get();
  }
  auto served = cache_->Serve();
  if (!served) return std::move(served).error();
  snapshot_ = std::move(*served);
  generation_ = ReadGate::kNoGeneration;  // the next read through the open gate pins what is there
  return snapshot_.get();
}

}  // namespace qarion::secrets::cache
