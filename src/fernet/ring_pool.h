// Rings of the same keys, for several threads at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/fernet_ring.h"
#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::fernet {

struct PooledRing {
  crypto::FernetRing ring;
  crypto::OpenedFernet opened;  // room for whoever has the ring; to be left empty
};

// Lends a ring to one thread at a time: to the same thread the same one, as a rule, so that threads
// do not wait for each other and what they use stays in their processor's cache. There is no lock
// that a forked child could find taken: what another thread had at that moment is not used there.
//
// Thread-safety: all members from several threads. Lifetime: loans must be gone before.
class RingPool {
 public:
  explicit RingPool(std::vector<FernetKey> keys);
  RingPool(const RingPool&) = delete;
  RingPool& operator=(const RingPool&) = delete;
  ~RingPool();

  class Loan {
   public:
    Loan(Loan&& other) noexcept
        : is_taken_(std::exchange(other.is_taken_, nullptr)),
          ring_(std::exchange(other.ring_, nullptr)),
          own_(std::move(other.own_)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (is_taken_ != nullptr) is_taken_->store(false, std::memory_order_release);
    }
    PooledRing* operator->() noexcept { return ring_ != nullptr ? ring_ : own_.get(); }

   private:
    friend class RingPool;
    Loan(std::atomic<bool>& is_taken, PooledRing& ring) noexcept
        : is_taken_(&is_taken), ring_(&ring) {}
    explicit Loan(std::unique_ptr<PooledRing> ring) noexcept : own_(std::move(ring)) {}

    std::atomic<bool>* is_taken_ = nullptr;
    PooledRing* ring_ = nullptr;
    std::unique_ptr<PooledRing> own_;
  };

  // kInternal: see FernetRing::Create; not after the first loan.
  Result<Loan> Borrow() const;

 private:
  struct Place;
  Result<std::unique_ptr<PooledRing>> MakeRing() const;

  const std::vector<FernetKey> keys_;
  const std::size_t count_;  // a power of two
  const std::unique_ptr<Place[]> places_;
};

}  // namespace qarion::secrets::fernet
