#include "qarion/secrets/secret.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/secret_memory.h"

namespace qarion::secrets {

// Lies in secret memory, the bytes right behind it.
struct internal::SecretBlock {
  std::atomic<std::uint32_t> handles{1};
  std::size_t capacity = 0;
  std::size_t size = 0;  // set when sealed

  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }

  static SecretBlock* Make(std::size_t capacity) {
    void* memory = core::AllocateSecretMemory(sizeof(SecretBlock) + capacity);
    auto* block = new (memory) SecretBlock;
    block->capacity = capacity;
    return block;
  }
};

void internal::ReleaseSecretBlock(SecretBlock* block) noexcept {
  if (block == nullptr || block->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::size_t allocated = sizeof(SecretBlock) + block->capacity;
  block->~SecretBlock();
  core::ReleaseSecretMemory(block, allocated);
}

Secret Secret::CopyOf(std::string_view bytes) {
  SecretBuffer buffer;
  buffer.Append(bytes);
  return std::move(buffer).Seal();
}

Secret Secret::Share() const noexcept {
  if (!block_) return {};
  block_->handles.fetch_add(1, std::memory_order_relaxed);
  return Secret(block_.get());
}

std::string_view Secret::Reveal() const noexcept {
  if (!block_) return {};
  return {block_->bytes(), block_->size};
}

std::size_t Secret::size() const noexcept { return block_ ? block_->size : 0; }

bool Secret::ConstantTimeEquals(std::string_view other) const noexcept {
  const std::string_view mine = Reveal();
  if (mine.size() != other.size()) return false;
  // volatile: the compiler must not stop at the first difference.
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (mine[i] ^ other[i]));
  }
  return difference == 0;
}

void SecretBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  core::CopySecretBytes(Spare(bytes.size()), bytes.data(), bytes.size());
  size_ += bytes.size();
}

void SecretBuffer::Append(char byte) {
  *Spare(1) = byte;
  ++size_;
}

void SecretBuffer::Reserve(std::size_t capacity) {
  if (block_ ? block_->capacity >= capacity : capacity == 0) return;
  decltype(block_) larger(internal::SecretBlock::Make(capacity));
  if (size_ > 0) core::CopySecretBytes(larger->bytes(), block_->bytes(), size_);
  block_ = std::move(larger);
}

char* SecretBuffer::Spare(std::size_t count) {
  const std::size_t needed = size_ + count;
  const std::size_t present = block_ ? block_->capacity : 0;
  if (needed > present) Reserve(std::max(needed, present + present / 2));
  return block_ ? block_->bytes() + size_ : nullptr;
}

void SecretBuffer::RemovePrefix(std::size_t count) noexcept {
  if (count == 0) return;
  std::memmove(block_->bytes(), block_->bytes() + count, size_ - count);
  Truncate(size_ - count);
}

void SecretBuffer::Truncate(std::size_t size) noexcept {
  if (size >= size_) return;
  core::Wipe(block_->bytes() + size, size_ - size);
  size_ = size;
}

std::string_view SecretBuffer::Reveal() const noexcept {
  if (!block_) return {};
  return {block_->bytes(), size_};
}

Secret SecretBuffer::Seal() && {
  if (size_ == 0) {
    block_.reset();
    return {};
  }
  block_->size = std::exchange(size_, 0);
  return Secret(block_.release());
}

}  // namespace qarion::secrets
