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

// The filter of a class, and the table that leads from the beginning of a window to its patterns.
//
// Thread-safety: one thread at a time inserts; others may look up meanwhile, and find what was
// inserted before they were told of it.
class LengthClass {
 public:
  LengthClass(const ClassShape& shape, std::size_t capacity);

  // `window`: shape().window bytes. There must be room.
  void Insert(PatternId id, const char* window) noexcept;

  // How many patterns begin their window like this one, counted up to `most`.
  std::size_t CountAlike(const char* window, std::size_t most) const noexcept;

  // Calls `take` with each pattern whose window may begin with the bytes at `window`.
  template <typename Take>
  void ForEachAt(std::uint64_t key, Take take) const {
    const std::uint64_t hash = HashOfKey(key);
    for (std::size_t slot = hash >> slot_shift_;; slot = (slot + 1) & (slots_.size() - 1)) {
      const std::uint64_t entry = __atomic_load_n(slots_.data() + slot, __ATOMIC_ACQUIRE);
      if (entry == 0) return;
      if (static_cast<std::uint32_t>(entry >> 32) == TagOf(hash)) {
        take(static_cast<PatternId>(entry) - 1);
      }
    }
  }

  // The first bytes of a window, as ForEachAt() takes them.
  std::uint64_t KeyOf(std::uint64_t eight_bytes) const noexcept { return eight_bytes & key_mask_; }

  const ClassShape& shape() const noexcept { return shape_; }
  const ProbePlan& plan() const noexcept { return plan_; }
  std::size_t size() const noexcept { return size_; }  // of the inserting thread
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  static std::uint64_t HashOfKey(std::uint64_t key) noexcept {
    const std::uint64_t mixed = key * 0xD6E8FEB86659FD93;
    return (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93;
  }
  static std::uint32_t TagOf(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash);
  }

  const ClassShape shape_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
  std::uint64_t key_mask_ = 0;
  ProbePlan plan_;
  unsigned slot_shift_ = 0;
  core::SecretVector<std::uint32_t> words_;
  core::SecretVector<std::uint64_t> slots_;  // tag, and id + 1; 0 where empty
};

}  // namespace qarion::secrets::scrub
