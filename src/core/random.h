// Chance as the library needs it: for spreading refreshes, not for keys.
#pragma once

#include <cstdint>
#include <mutex>

namespace qarion::secrets::core {

// Thread-safety: one thread at a time.
class Random {
 public:
  virtual ~Random() = default;
  // Uniform in [0, 1).
  virtual double Uniform() = 0;
};

// A fast generator (xoshiro256++) seeded by the kernel, or by the caller for repeatable runs.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  explicit SystemRandom(std::uint64_t seed);
  double Uniform() override;

 private:
  std::uint64_t Next();
  std::uint64_t state_[4];
};

// The same for several threads.
class SharedRandom final : public Random {
 public:
  double Uniform() override {
    const std::lock_guard lock(mutex_);
    return random_.Uniform();
  }

 private:
  std::mutex mutex_;
  SystemRandom random_;
};

}  // namespace qarion::secrets::core
