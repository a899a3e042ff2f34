// Keeps the latest snapshot fresh and hands it out without waiting.
//
// The life of a snapshot, counted from its fetch:
//   [0, due)              served; `due` is drawn at random, see RefreshSchedule
//   [due, TTL)            served, while one refresh goes on in the background
//   [TTL, TTL+max_stale)  served only if no fetch since failed for a definite reason
//   later                 not served: the reader waits for a fetch, as at the start
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "cache/read_gate.h"
#include "core/random.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/snapshot.h"

namespace qarion::secrets::cache {

// How long one background fetch may take at most, whatever the TTL.
inline constexpr std::chrono::seconds kLongestFetch{30};

struct CacheOptions {
  std::chrono::seconds ttl{300};         // 0: every read fetches
  std::chrono::seconds max_stale{3600};  // past the TTL, while the backend fails transiently
  std::chrono::milliseconds start_timeout{30'000};
};

struct FetchContext {
  std::string_view known_version;  // of the snapshot in hand, or empty
  Clock::SteadyTime deadline;
  std::stop_token stop;
};

struct Fetched {
  std::shared_ptr<const Snapshot> snapshot;     // null: `known_version` is still current
  std::optional<Clock::SystemTime> expires_at;  // none with a null snapshot: as it was
};

// Fetches once. Called by one thread at a time.
using FetchFunction = std::function<Result<Fetched>(const FetchContext& context)>;

struct CacheStatus {
  std::shared_ptr<const Snapshot> snapshot;  // null before the first
  std::chrono::milliseconds age{};
  bool fresh = false;
  bool expired = false;
  std::optional<std::chrono::milliseconds> next_refresh_in;
  std::optional<Error> last_error;
};

// Thread-safety: every member from several threads, except Reader (one thread each).
// Lifetime: Readers must be gone before the cache. The destructor asks a fetch in flight to stop
// and waits for it.
class SnapshotCache {
  class Impl;

 public:
  // `log` receives lines about failures and recoveries; may be empty.
  SnapshotCache(CacheOptions options, FetchFunction fetch, std::shared_ptr<Clock> clock,
                std::unique_ptr<core::Random> random,
                std::function<void(std::string_view)> log = {});
  ~SnapshotCache();
  SnapshotCache(const SnapshotCache&) = delete;
  SnapshotCache& operator=(const SnapshotCache&) = delete;

  // The first fetch; transient failures are retried until the start timeout.
  Status Start();

  // The snapshot to read from now.
  Result<std::shared_ptr<const Snapshot>> Current();

  // A handle to one value of it: an empty optional where the field is not set. Takes no reference
  // to the snapshot, so that threads do not share a counter.
  Result<std::optional<Secret>> Find(std::string_view name);

  // Fetches now and waits for it.
  Status Refresh();
  // For those that anybody can make ask: see Runtime::RefreshSparingly.
  Status RefreshSparingly(std::chrono::milliseconds patience, std::chrono::milliseconds pause);

  // `callback(before, after)` runs on the background thread after each refresh that brought a
  // snapshot of another version or other values. Dropping what is returned ends it and waits for
  // a running call, unless dropped inside that call.
  std::shared_ptr<void> Subscribe(
      std::function<void(const Snapshot& before, const Snapshot& after)> callback);

  CacheStatus status() const;

  // Reads of one thread that look at nothing shared but the gate, which rarely changes. What is
  // returned is valid until the next call of Current().
  class Reader {
   public:
    explicit Reader(SnapshotCache& cache);

    // The snapshot in hand where it is still the one to read from, else null: then Current() tells.
    const Snapshot* Pinned() const noexcept {
      return gate_->IsOpen() && gate_->generation() == generation_ ? snapshot_.get() : nullptr;
    }
    Result<const Snapshot*> Current();

   private:
    Impl* cache_;
    const ReadGate* gate_;
    std::uint64_t generation_ = ReadGate::kNoGeneration;
    std::shared_ptr<const Snapshot> snapshot_;
  };

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets::cache
