// An array that grows at its end while others read it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "core/secret_memory.h"

namespace qarion::secrets::scrub {

// Of patterns those of 1.8 million values in all their forms; entries of LengthClass have no room
// for a larger number.
inline constexpr std::size_t kMostElements = std::size_t{1} << 25;

// Elements never move. They lie in secret memory and begin as zero bytes.
//
// Thread-safety: one thread at a time grows it; others may read elements that they were told of
// after that.
template <typename T>
class GrowingArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  GrowingArray() {
    if (blocks_ == nullptr) throw std::bad_alloc();
  }
  GrowingArray(const GrowingArray&) = delete;
  GrowingArray& operator=(const GrowingArray&) = delete;
  ~GrowingArray() {
    for (std::size_t block = 0; block * kBlock < size_; ++block) {
      core::ReleaseSecretMemory(Block(block * kBlock), kBlock * sizeof(T));
    }
  }

  std::size_t size() const noexcept { return size_; }  // of the growing thread

  // Returns a new element, which is zero bytes.
  T& Grow() {
    const std::size_t block = size_ / kBlock;
    if (size_ % kBlock == 0) {
      if (block == kMostBlocks) throw std::bad_alloc();
      void* const memory = core::AllocateSecretMemory(kBlock * sizeof(T));
      core::Wipe(memory, kBlock * sizeof(T));
      blocks_.get()[block].store(static_cast<T*>(memory), std::memory_order_release);
    }
    return (*this)[size_++];
  }

  T& operator[](std::size_t index) noexcept { return Block(index)[index % kBlock]; }
  const T& operator[](std::size_t index) const noexcept { return Block(index)[index % kBlock]; }

 private:
  // As many elements as fill a block that secret memory would round up to anyway, if not so many
  // that few would waste it.
  static constexpr std::size_t kBlockBytes = std::size_t{16} << 10;
  static constexpr std::size_t kBlock = std::min<std::size_t>(kBlockBytes / sizeof(T), 1024);
  static constexpr std::size_t kMostBlocks = kMostElements / kBlock;

  T* Block(std::size_t index) const noexcept {
    return blocks_.get()[index / kBlock].load(std::memory_order_acquire);
  }

  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  // Pages of it exist only as far as they are used.
  using Pointer = std::atomic<T*>;
  std::unique_ptr<Pointer[], Free> blocks_{
      // NOLINT(*-avoid-c-arrays)
      static_cast<Pointer*>(std::calloc(kMostBlocks, sizeof(Pointer)))};
  std::size_t size_ = 0;
};

}  // namespace qarion::secrets::scrub
