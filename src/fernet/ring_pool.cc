#include "fernet/ring_pool.h"

#include <algorithm>
#include <bit>
#include <thread>

namespace qarion::secrets::fernet {
namespace {

// More places than processors, so that threads which were interrupted while they had a ring are in
// nobody's way; a ring takes 10 KiB where it is used.
std::size_t PlaceCount() {
  constexpr std::size_t kMost = 64;
  const std::size_t processors = std::max(std::thread::hardware_concurrency(), 1U);
  return std::min(std::bit_ceil(2 * processors), kMost);
}

// Where a thread looks first.
std::size_t ThreadNumber() noexcept {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

// On cache lines of its own.
struct alignas(64) RingPool::Place {
  std::atomic<bool> is_taken = false;
  std::unique_ptr<PooledRing> ring;  // made at the first loan
};

RingPool::RingPool(std::vector<FernetKey> keys)
    : keys_(std::move(keys)), count_(PlaceCount()), places_(std::make_unique<Place[]>(count_)) {}

RingPool::~RingPool() = default;

Result<std::unique_ptr<PooledRing>> RingPool::MakeRing() const {
  auto ring = crypto::FernetRing::Create(keys_);
  if (!ring) return std::move(ring).error();
  return std::make_unique<PooledRing>(PooledRing{*std::move(ring), {}});
}

Result<RingPool::Loan> RingPool::Borrow() const {
  const std::size_t first = ThreadNumber();
  for (std::size_t i = 0; i < count_; ++i) {
    Place& place = places_[(first + i) & (count_ - 1)];
    if (place.is_taken.load(std::memory_order_relaxed) ||
        place.is_taken.exchange(true, std::memory_order_acquire)) {
      continue;
    }
    if (place.ring == nullptr) {
      auto ring = MakeRing();
      if (!ring) {
        place.is_taken.store(false, std::memory_order_release);
        return std::move(ring).error();
      }
      place.ring = *std::move(ring);
    }
    return Loan(place.is_taken, *place.ring);
  }
  auto ring = MakeRing();
  if (!ring) return std::move(ring).error();
  return Loan(*std::move(ring));
}

}  // namespace qarion::secrets::fernet
