// Patterns of about one length, found by a piece that each of them has.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/secret_memory.h"
#include "scrub/kernels.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {

// Each pattern has a window, `window` bytes of it. All pieces of `gram_size` bytes of the window
// are in a filter; there are `stride` of them. An occurrence has one of them at a place that ends a
// stride, so looking at each stride-th place finds it (Wu and Manber's idea).
struct ClassShape {
  std::size_t shortest;  // of its patterns
  unsigned window;
  unsigned gram_size;
  unsigned stride;
};
inline constexpr std::array<ClassShape, 5> kClassShapes = {{
    {.shortest = 1, .window = 1, .gram_size = 1, .stride = 1},
    {.shortest = 2, .window = 2, .gram_size = 2, .stride = 1},
    {.shortest = 4, .window = 4, .gram_size = 3, .stride = 2},
    {.shortest = 8, .window = 8, .gram_size = 5, .stride = 4},
    {.shortest = 15, .window = 15, .gram_size = 8, .stride = 8},
}};

constexpr std::size_t ClassOf(std::size_t length) noexcept {
  std::size_t index = kClassShapes.size() - 1;
  while (length < kClassShapes[index].shortest) --index;
  return index;
}

// The filter of a class, and the table that leads from a key, the last eight bytes of a window, to
// its patterns. Where many windows have the same grams, their ends still tell them apart.
//
// Thread-safety: one thread at a time inserts; others may look up meanwhile, and find what was
// inserted before they were told of it.
class LengthClass {
 public:
  LengthClass(const ClassShape& shape, std::size_t capacity);
  // One with more room, still without patterns, for those of `smaller`.
  LengthClass(const LengthClass& smaller, std::size_t capacity);

  // What is looked up from now on. `window`: shape().window bytes.
  void AddKinds(const char* window) noexcept;
  // There must be room. Its kinds must be known.
  void Insert(PatternId id, const char* window) noexcept;

  // How many patterns have a window with the key of this one, counted up to `most`.
  std::size_t CountAlike(const char* window, std::size_t most) const noexcept;

  // Whether any window may have the key; a hash of it, as ForEachAt() takes it.
  bool MayHave(std::uint64_t hash) const noexcept {
    const std::uint64_t bit = hash >> key_shift_;
    return (__atomic_load_n(keys_.data() + bit / 32, __ATOMIC_RELAXED) >> bit % 32 & 1) != 0;
  }

  // Calls `take` with each pattern whose window may have the key.
  template <typename Take>
  void ForEachAt(std::uint64_t hash, Take take) const {
    for (std::size_t slot = hash >> slot_shift_;; slot = (slot + 1) & (slots_.size() - 1)) {
      const std::uint64_t entry = __atomic_load_n(slots_.data() + slot, __ATOMIC_ACQUIRE);
      if (entry == 0) return;
      if (static_cast<std::uint32_t>(entry >> 32) == TagOf(hash)) {
        take(static_cast<PatternId>(entry) - 1);
      }
    }
  }

  // Where in a window its key lies, and how long it is.
  unsigned key_at() const noexcept { return shape_.window - key_bytes(); }
  unsigned key_bytes() const noexcept { return shape_.window < 8 ? shape_.window : 8; }
  static std::uint64_t HashOfKey(std::uint64_t key) noexcept {
    const std::uint64_t mixed = key * 0xD6E8FEB86659FD93;
    return (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93;
  }

  const ClassShape& shape() const noexcept { return shape_; }
  const ProbePlan& plan() const noexcept { return plan_; }    // without kinds
  const ByteKinds& kinds() const noexcept { return kinds_; }  // of the inserting thread
  std::size_t size() const noexcept { return size_; }         // of the inserting thread
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  std::uint64_t HashOfWindow(const char* window) const noexcept;
  static std::uint32_t TagOf(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash);
  }

  const ClassShape shape_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
  ProbePlan plan_;
  ByteKinds kinds_;
  unsigned key_shift_ = 0;
  unsigned slot_shift_ = 0;
  core::SecretVector<std::uint32_t> words_;
  core::SecretVector<std::uint32_t> keys_;   // bit: whether any key has such a hash
  core::SecretVector<std::uint64_t> slots_;  // tag, and id + 1; 0 where empty
};

}  // namespace qarion::secrets::scrub
