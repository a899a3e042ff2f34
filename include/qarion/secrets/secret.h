// The type every secret value has.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <string_view>
#include <utility>

#include <qarion/secrets/export.h>

namespace qarion::secrets {

namespace internal {
struct SecretBlock;
QARION_SECRETS_EXPORT void ReleaseSecretBlock(SecretBlock* block) noexcept;
struct SecretBlockReleaser {
  void operator()(SecretBlock* block) const noexcept { ReleaseSecretBlock(block); }
};
}  // namespace internal

// Bytes that wipe themselves: an immutable value in locked memory that no core dump contains,
// overwritten when its last handle goes.
//
// A Secret cannot be copied, printed, formatted, hashed or compared with ==; none of these
// compiles. The bytes are reached through Reveal() alone, so `grep Reveal` lists every place that
// handles them. Any byte may occur, zero too; a value need not be text.
//
// Thread-safety: const members may be called from several threads; handles that Share() one value
// may live on different threads. Lifetime: the bytes live as long as any handle to them.
// Where the machine has no memory left for a value, the std::new_handler is called as for other
// memory; without one the process ends with a message. A secret is never put into ordinary memory
// instead.
class QARION_SECRETS_EXPORT Secret {
 public:
  Secret() noexcept = default;  // the empty value; allocates nothing
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) noexcept = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() = default;

  // A new value holding a copy of `bytes`. The caller still has to wipe its own copy.
  static Secret CopyOf(std::string_view bytes);

  // A further handle to the same bytes. No copy is made and nothing is allocated.
  Secret Share() const noexcept;

  // The bytes. The view is valid as long as this handle; what is copied out of it is no longer
  // protected.
  std::string_view Reveal() const noexcept;

  // Length in bytes.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }

  // Whether both hold the same bytes. Takes the same time wherever they differ; lengths are not
  // hidden.
  bool ConstantTimeEquals(std::string_view other) const noexcept;
  bool ConstantTimeEquals(const Secret& other) const noexcept {
    return ConstantTimeEquals(other.Reveal());
  }

 private:
  friend class SecretBuffer;
  explicit Secret(internal::SecretBlock* block) noexcept : block_(block) {}

  std::unique_ptr<internal::SecretBlock, internal::SecretBlockReleaser> block_;
};

bool operator==(const Secret&, const Secret&) = delete;  // see ConstantTimeEquals
bool operator==(const Secret&, std::string_view) = delete;
std::ostream& operator<<(std::ostream&, const Secret&) = delete;  // see Reveal

// A growing value, for building a Secret piece by piece. Its memory is protected as a Secret's is;
// pieces that it outgrows are wiped.
//
// Thread-safety: one thread at a time.
class QARION_SECRETS_EXPORT SecretBuffer {
 public:
  SecretBuffer() noexcept = default;
  explicit SecretBuffer(std::size_t capacity) { Reserve(capacity); }
  SecretBuffer(SecretBuffer&& other) noexcept
      : block_(std::move(other.block_)), size_(std::exchange(other.size_, 0)) {}
  SecretBuffer& operator=(SecretBuffer&& other) noexcept {
    block_ = std::move(other.block_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() = default;

  void Append(std::string_view bytes);
  void Append(char byte);

  // Makes room for `capacity` bytes in all.
  void Reserve(std::size_t capacity);

  // Room for `count` bytes after the present end, to be filled by the caller (a read(2), say) and
  // then declared with Grow(). Valid until the next non-const call.
  char* Spare(std::size_t count);
  void Grow(std::size_t count) noexcept { size_ += count; }

  // Drops the first `count` bytes, the last ones beyond `size`, or all; what is dropped is wiped.
  void RemovePrefix(std::size_t count) noexcept;
  void Truncate(std::size_t size) noexcept;
  void Clear() noexcept { Truncate(0); }

  std::string_view Reveal() const noexcept;
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  // Turns what was gathered into a Secret; the buffer is empty afterwards.
  Secret Seal() &&;

 private:
  std::unique_ptr<internal::SecretBlock, internal::SecretBlockReleaser> block_;
  std::size_t size_ = 0;
};

}  // namespace qarion::secrets
