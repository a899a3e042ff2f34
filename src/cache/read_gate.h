// What a reader looks at before it reads the snapshot it already holds: nothing else, and inline,
// because this is the cost of a cached read.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "core/system_clock.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::cache {

// Thread-safety: IsOpen and generation from several threads; the rest from one at a time.
class alignas(64) ReadGate {  // a cache line of its own: it is written when a snapshot is published
 public:
  // Of no snapshot.
  static constexpr std::uint64_t kNoGeneration = ~std::uint64_t{0};

  // Shut at first. `clock` must outlive the gate.
  explicit ReadGate(const Clock& clock)
      : system_clock_(dynamic_cast<const core::SystemClock*>(&clock)), clock_(clock) {}

  // Whether the published snapshot may be read with no further look.
  bool IsOpen() const noexcept {
    // A call of a final class, where it is that one, is none.
    const auto now = system_clock_ != nullptr ? system_clock_->SteadyNow() : clock_.SteadyNow();
    return now.time_since_epoch().count() < open_until_.load(std::memory_order_acquire);
  }
  // Which snapshot is the published one.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  void OpenUntil(Clock::SteadyTime time) noexcept {
    open_until_.store(time.time_since_epoch().count(), std::memory_order_release);
  }
  void BeginGeneration() noexcept { generation_.fetch_add(1, std::memory_order_release); }

 private:
  const core::SystemClock* const system_clock_;  // null: another one
  const Clock& clock_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::int64_t> open_until_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace qarion::secrets::cache
