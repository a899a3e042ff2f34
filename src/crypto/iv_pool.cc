#include "crypto/iv_pool.h"

#include <openssl/rand.h>
#include <pthread.h>

#include <atomic>
#include <cstring>

#include "core/secret_memory.h"

namespace qarion::secrets::crypto {
namespace {

// How many forks lie between this process and the one that made its first pool. getpid() would be a
// system call for each token.
std::atomic<unsigned> forks = 0;

void CountForks() noexcept {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  static_cast<void>(registered);
}

}  // namespace

// NOLINTNEXTLINE(*-member-init): `left_` says that nothing is in `bytes_`.
IvPool::IvPool() noexcept { CountForks(); }

IvPool::~IvPool() { core::Wipe(bytes_.data(), bytes_.size()); }

bool IvPool::Take(std::uint8_t* iv) noexcept {
  const unsigned process = forks.load(std::memory_order_relaxed);
  if (left_ == 0 || process_ != process) {
    left_ = 0;
    if (RAND_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1) return false;
    left_ = bytes_.size();
    process_ = process;
  }
  left_ -= kIvBytes;
  std::memcpy(iv, &bytes_[left_], kIvBytes);
  core::Wipe(&bytes_[left_], kIvBytes);
  return true;
}

}  // namespace qarion::secrets::crypto
