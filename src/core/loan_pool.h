// Things that one thread uses at a time, for several threads at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "qarion/secrets/result.h"

namespace qarion::secrets::core {

// Where a thread looks first in every pool.
inline std::size_t PoolPlaceOfThisThread() noexcept {
  static std::atomic<std::size_t> threads = 0;
  thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return number;
}

// Lends a T to one thread at a time: to the same thread the same one, as a rule, so that threads do
// not wait for each other and what they use stays in their processor's cache. There is no lock that
// a forked child could find taken: what another thread had at that moment is not used there.
//
// Thread-safety: all members from several threads. Lifetime: loans must be gone before.
template <typename T>
class LoanPool {
 public:
  using Make = std::function<Result<std::unique_ptr<T>>()>;

  explicit LoanPool(Make make)
      : make_(std::move(make)), count_(PlaceCount()), places_(std::make_unique<Place[]>(count_)) {}
  LoanPool(const LoanPool&) = delete;
  LoanPool& operator=(const LoanPool&) = delete;

  class Loan {
   public:
    Loan(Loan&& other) noexcept
        : is_taken_(std::exchange(other.is_taken_, nullptr)),
          lent_(std::exchange(other.lent_, nullptr)),
          own_(std::move(other.own_)) {}
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (is_taken_ != nullptr) is_taken_->store(false, std::memory_order_release);
    }
    T& operator*() noexcept { return lent_ != nullptr ? *lent_ : *own_; }
    T* operator->() noexcept { return &**this; }

   private:
    friend class LoanPool;
    Loan(std::atomic<bool>& is_taken, T* lent) noexcept : is_taken_(&is_taken), lent_(lent) {}
    explicit Loan(std::unique_ptr<T> own) noexcept : own_(std::move(own)) {}

    std::atomic<bool>* is_taken_ = nullptr;
    T* lent_ = nullptr;
    std::unique_ptr<T> own_;
  };

  // The error of what makes a T; not after a thread's first loan, as a rule.
  Result<Loan> Borrow() const {
    const std::size_t first = PoolPlaceOfThisThread();
    for (std::size_t i = 0; i < count_; ++i) {
      Place& place = places_[(first + i) & (count_ - 1)];
      if (place.is_taken.load(std::memory_order_relaxed) ||
          place.is_taken.exchange(true, std::memory_order_acquire)) {
        continue;
      }
      Loan loan(place.is_taken, place.lent.get());
      if (place.lent == nullptr) {
        auto made = make_();
        if (!made) return std::move(made).error();
        place.lent = *std::move(made);
        loan.lent_ = place.lent.get();
      }
      return loan;
    }
    auto made = make_();
    if (!made) return std::move(made).error();
    return Loan(*std::move(made));
  }

 private:
  // On cache lines of its own.
  struct alignas(64) Place {
    std::atomic<bool> is_taken = false;
    std::unique_ptr<T> lent;  // made at the first loan
  };

  // More places than processors, so that threads which were interrupted while they had one are in
  // nobody's way.
  static std::size_t PlaceCount() {
    constexpr std::size_t kMost = 64;
    const std::size_t processors = std::max(std::thread::hardware_concurrency(), 1U);
    return std::min(std::bit_ceil(2 * processors), kMost);
  }

  const Make make_;
  const std::size_t count_;  // a power of two
  const std::unique_ptr<Place[]> places_;
};

}  // namespace qarion::secrets::core
