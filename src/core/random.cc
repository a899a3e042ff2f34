#include "core/random.h"

#include <sys/random.h>

#include <bit>
#include <chrono>

namespace qarion::secrets::core {
namespace {

// https://prng.di.unimi.it/splitmix64.c, the seeding its authors recommend.
std::uint64_t SplitMix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t KernelSeed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
  // Early in a boot the kernel has none; differing between machines is all that is needed.
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

}  // namespace

SystemRandom::SystemRandom() : SystemRandom(KernelSeed()) {}

SystemRandom::SystemRandom(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = SplitMix(seed);
}

// https://prng.di.unimi.it/xoshiro256plusplus.c
std::uint64_t SystemRandom::Next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double SystemRandom::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

}  // namespace qarion::secrets::core
