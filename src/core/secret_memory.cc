#include "core/secret_memory.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "core/cpu_features.h"

namespace qarion::secrets::core {
namespace {

constexpr std::size_t kAlignment = 16;
constexpr std::size_t kRegionSize = 64 * 1024;
constexpr std::size_t kLargestShared = kRegionSize / 4;
// Powers of two from 16 to 16 KiB.
constexpr std::size_t kClassCount = 11;

// As `operator new` does: the program's handler makes room, throws or ends the process.
void OutOfSecretMemory(std::size_t size) {
  const int error = errno;
  if (const std::new_handler handler = std::get_new_handler()) return handler();
  std::fprintf(stderr, "qarion-secrets: no memory for a secret of %zu bytes: %s\n", size,
               std::strerror(error));
  std::abort();
}

std::size_t PageSize() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t RoundUp(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

constexpr std::size_t ClassOf(std::size_t size) {
  const std::size_t rounded = std::bit_ceil(std::max(size, kAlignment));
  return static_cast<std::size_t>(std::countr_zero(rounded)) - 4;
}
constexpr std::size_t ClassSize(std::size_t index) { return kAlignment << index; }
static_assert(ClassOf(1) == 0 && ClassOf(17) == 1 && ClassOf(kLargestShared) == kClassCount - 1);

// A released block: wiped but for the link.
struct FreeBlock {
  FreeBlock* next;
};

class Arena {
 public:
  // Null where the kernel gives no memory.
  void* Allocate(std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (size > kLargestShared) return Map(RoundUp(size, PageSize()));
    const std::size_t index = ClassOf(size);
    void* memory = free_[index];
    if (memory != nullptr) {
      free_[index] = std::exchange(free_[index]->next, nullptr);
    } else {
      memory = Carve(ClassSize(index));
    }
    if (memory != nullptr) status_.in_use_bytes += ClassSize(index);
    return memory;
  }

  void Release(void* memory, std::size_t size) noexcept {
    if (size > kLargestShared) {
      Wipe(memory, size);
      const std::lock_guard lock(mutex_);
      Unmap(memory, RoundUp(size, PageSize()));
      return;
    }
    const std::size_t index = ClassOf(size);
    Wipe(memory, ClassSize(index));
    const std::lock_guard lock(mutex_);
    status_.in_use_bytes -= ClassSize(index);
    free_[index] = new (memory) FreeBlock{free_[index]};
  }

  SecretMemoryStatus status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  void SetWarningHandler(const std::function<void(std::string_view)>& handler) {
    std::optional<std::string> missed;
    {
      const std::lock_guard lock(mutex_);
      handler_ = handler;
      if (handler_) missed = std::exchange(pending_warning_, std::nullopt);
    }
    if (missed) handler(*missed);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  void* Carve(std::size_t size) {
    if (region_left_ < size) {
      // What is left of the old region is given to the free lists, so that nothing is lost.
      while (region_left_ >= kAlignment) {
        const std::size_t piece = std::min(std::bit_floor(region_left_), kLargestShared);
        free_[ClassOf(piece)] = new (region_next_) FreeBlock{free_[ClassOf(piece)]};
        region_next_ += piece;
        region_left_ -= piece;
      }
      region_next_ = static_cast<std::byte*>(Map(kRegionSize));
      if (region_next_ == nullptr) return nullptr;
      status_.in_use_bytes -= kRegionSize;  // counted block by block instead
      region_left_ = kRegionSize;
    }
    void* memory = region_next_;
    region_next_ += size;
    region_left_ -= size;
    return memory;
  }

  // Maps `size` bytes between two pages that fault when touched; null where that fails.
  void* Map(std::size_t size) {
    const std::size_t page = PageSize();
    void* mapping = mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    std::byte* memory = static_cast<std::byte*>(mapping) + page;
    // Before anything is written: a dump taken at any moment must not contain it.
    if (mprotect(memory, size, PROT_READ | PROT_WRITE) != 0 ||
        madvise(memory, size, MADV_DONTDUMP) != 0) {
      const int error = errno;
      munmap(mapping, size + 2 * page);
      errno = error;
      return nullptr;
    }
    status_.mapped_bytes += size;
    status_.in_use_bytes += size;
    if (mlock(memory, size) == 0) {
      status_.locked_bytes += size;
    } else {
      WarnOnce(errno);
    }
    return memory;
  }

  void Unmap(void* memory, std::size_t size) noexcept {
    const std::size_t page = PageSize();
    status_.mapped_bytes -= size;
    status_.in_use_bytes -= size;
    status_.locked_bytes -= std::min(status_.locked_bytes, size);
    munmap(static_cast<std::byte*>(memory) - page, size + 2 * page);
  }

  void WarnOnce(int error) {
    if (std::exchange(warned_, true)) return;
    std::string text = "secret memory cannot be locked (";
    text += std::strerror(error);
    text +=
        ") and might reach swap; it is still excluded from core dumps. Raise the limit on locked "
        "memory (ulimit -l, LimitMEMLOCK=)";
    if (handler_) {
      handler_(text);
    } else {
      pending_warning_ = std::move(text);
    }
  }

  std::mutex mutex_;
  std::array<FreeBlock*, kClassCount> free_{};
  std::byte* region_next_ = nullptr;
  std::size_t region_left_ = 0;
  SecretMemoryStatus status_;
  std::function<void(std::string_view)> handler_;
  std::optional<std::string> pending_warning_;
  bool warned_ = false;
};

[[gnu::noinline]] void WipeUnusedStack() noexcept {
  char unused[32 * 1024];
  Wipe(unused, sizeof unused);
}

// Never destroyed: secrets in static objects are released after any destructor could run.
Arena& TheArena() {
  static Arena* const arena = [] {
    auto* made = new Arena;
    // A child forked while another thread allocates must find the lock free.
    pthread_atfork([] { TheArena().mutex().lock(); }, [] { TheArena().mutex().unlock(); },
                   [] { TheArena().mutex().unlock(); });
    return made;
  }();
  return *arena;
}

}  // namespace

void Wipe(void* memory, std::size_t size) noexcept { explicit_bzero(memory, size); }

void CopySecretBytes(void* to, const void* from, std::size_t size) noexcept {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
#if defined(__x86_64__)
  constexpr std::size_t kLong = 256;  // shorter ones take longer with it than word by word
  if (size >= kLong) {
    asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
    return;
  }
#endif
  const auto copy = [&]<typename Number>(Number number) {
    std::memcpy(&number, source, sizeof(number));
    asm volatile("" : "+r"(number));  // the compiler must not make vectors of it
    std::memcpy(target, &number, sizeof(number));
    source += sizeof(number);
    target += sizeof(number);
  };
  for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t)) copy(std::uint64_t{0});
  if ((size & 4) != 0) copy(std::uint32_t{0});
  if ((size & 2) != 0) copy(std::uint16_t{0});
  if ((size & 1) != 0) copy(std::uint8_t{0});
}

[[gnu::noinline]] void WipeVectorRegisters() noexcept {
#if defined(__x86_64__)
  if (CPU_FEATURE_ACTIVE(AVX512F)) {
    // Code that is compiled for x86-64 in general never uses these, but glibc does.
    asm volatile(
        "vpxorq %%zmm16, %%zmm16, %%zmm16\n\tvpxorq %%zmm17, %%zmm17, %%zmm17\n\t"
        "vpxorq %%zmm18, %%zmm18, %%zmm18\n\tvpxorq %%zmm19, %%zmm19, %%zmm19\n\t"
        "vpxorq %%zmm20, %%zmm20, %%zmm20\n\tvpxorq %%zmm21, %%zmm21, %%zmm21\n\t"
        "vpxorq %%zmm22, %%zmm22, %%zmm22\n\tvpxorq %%zmm23, %%zmm23, %%zmm23\n\t"
        "vpxorq %%zmm24, %%zmm24, %%zmm24\n\tvpxorq %%zmm25, %%zmm25, %%zmm25\n\t"
        "vpxorq %%zmm26, %%zmm26, %%zmm26\n\tvpxorq %%zmm27, %%zmm27, %%zmm27\n\t"
        "vpxorq %%zmm28, %%zmm28, %%zmm28\n\tvpxorq %%zmm29, %%zmm29, %%zmm29\n\t"
        "vpxorq %%zmm30, %%zmm30, %%zmm30\n\tvpxorq %%zmm31, %%zmm31, %%zmm31" ::
            : "memory");
  }
  if (CPU_FEATURE_ACTIVE(AVX)) {
    asm volatile("vzeroall" ::
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  } else {
    asm volatile(
        "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\t"
        "pxor %%xmm3, %%xmm3\n\tpxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\t"
        "pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm8, %%xmm8\n\t"
        "pxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
        "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\tpxor %%xmm14, %%xmm14\n\t"
        "pxor %%xmm15, %%xmm15" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  }
#endif
}

void WipeTraces() noexcept {
  WipeVectorRegisters();
  WipeUnusedStack();
}

void* AllocateSecretMemory(std::size_t size) {
  for (;;) {
    if (void* const memory = TheArena().Allocate(size)) return memory;
    OutOfSecretMemory(size);
  }
}

void ReleaseSecretMemory(void* memory, std::size_t size) noexcept {
  TheArena().Release(memory, size);
}

SecretMemoryStatus GetSecretMemoryStatus() { return TheArena().status(); }

void SetSecretMemoryWarningHandler(const std::function<void(std::string_view)>& handler) {
  TheArena().SetWarningHandler(handler);
}

}  // namespace qarion::secrets::core
