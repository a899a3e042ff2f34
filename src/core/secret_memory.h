// Memory for secret values: locked, out of core dumps, between guard pages, wiped on release.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace qarion::secrets::core {

// Overwrites memory in a way the compiler may not remove. The one place that does so.
void Wipe(void* memory, std::size_t size) noexcept;

// Copies bytes of a secret without leaving them in vector registers, as memcpy does. From there
// they would get onto the stack: the dynamic linker saves all registers when a function is called
// first.
void CopySecretBytes(void* to, const void* from, std::size_t size) noexcept;

// Overwrites what work with secrets leaves where no allocator knows of it: in vector registers and
// on the part of the stack that is not in use (32 KiB of it). To be called from the function that
// called what did the work.
void WipeTraces() noexcept;

// The vector registers alone, in a few nanoseconds: after work that is known to put nothing on the
// stack.
void WipeVectorRegisters() noexcept;

// Returns at least `size` bytes, aligned to 16. Blocks up to a quarter of a region come from shared
// regions by size class; larger ones get a mapping of their own. Where the kernel gives no memory,
// the std::new_handler is called as `operator new` does it; where none is set, the process ends
// with a message. Thread-safe.
void* AllocateSecretMemory(std::size_t size);

// Wipes and gives back. `size` is what was asked for.
void ReleaseSecretMemory(void* memory, std::size_t size) noexcept;

struct SecretMemoryStatus {
  std::size_t mapped_bytes = 0;
  std::size_t locked_bytes = 0;
  std::size_t in_use_bytes = 0;  // rounded up to size classes
};
SecretMemoryStatus GetSecretMemoryStatus();

// Called once, with one line, when the kernel refuses to lock (RLIMIT_MEMLOCK); the memory is still
// excluded from dumps. A handler set after that happened is called at once.
void SetSecretMemoryWarningHandler(const std::function<void(std::string_view)>& handler);

// Standard allocator over this memory, for containers that hold what was derived from secrets.
template <typename T>
struct SecretAllocator {
  using value_type = T;
  SecretAllocator() noexcept = default;
  template <typename U>
  // NOLINTNEXTLINE(google-explicit-constructor): as the standard asks of allocators.
  SecretAllocator(const SecretAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(AllocateSecretMemory(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    ReleaseSecretMemory(memory, count * sizeof(T));
  }
  bool operator==(const SecretAllocator&) const noexcept { return true; }
};

template <typename T>
using SecretVector = std::vector<T, SecretAllocator<T>>;

}  // namespace qarion::secrets::core
