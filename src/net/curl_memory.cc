#include "net/curl_memory.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/secret_memory.h"

namespace qarion::secrets::net {
namespace {

// The size stands before each block, because free() is not told.
struct alignas(16) BlockHeader {
  std::size_t size;
};

// Where the program's std::new_handler throws, the process ends: libcurl is C.
void* Allocate(std::size_t size) noexcept {
  auto* header = static_cast<BlockHeader*>(core::AllocateSecretMemory(sizeof(BlockHeader) + size));
  header->size = size;
  return header + 1;
}
void Release(void* memory) {
  if (memory == nullptr) return;
  BlockHeader* header = static_cast<BlockHeader*>(memory) - 1;
  core::ReleaseSecretMemory(header, sizeof(BlockHeader) + header->size);
}
void* Reallocate(void* memory, std::size_t size) noexcept {
  if (memory == nullptr) return Allocate(size);
  const std::size_t old_size = (static_cast<BlockHeader*>(memory) - 1)->size;
  void* larger = Allocate(size);
  core::CopySecretBytes(larger, memory, std::min(size, old_size));
  Release(memory);
  return larger;
}
char* Duplicate(const char* text) noexcept {
  const std::size_t size = std::strlen(text) + 1;
  auto* copy = static_cast<char*>(Allocate(size));
  core::CopySecretBytes(copy, text, size);
  return copy;
}
void* AllocateZeroes(std::size_t count, std::size_t size) noexcept {
  void* memory = Allocate(count * size);
  std::fill_n(static_cast<char*>(memory), count * size, '\0');
  return memory;
}

}  // namespace

void InitializeCurl() {
  // Thread-safe in this version, and undone by nobody: other code may use the library too.
  static const CURLcode initialized = curl_global_init_mem(CURL_GLOBAL_DEFAULT, Allocate, Release,
                                                           Reallocate, Duplicate, AllocateZeroes);
  static_cast<void>(initialized);
}

}  // namespace qarion::secrets::net
