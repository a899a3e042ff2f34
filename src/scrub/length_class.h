// Patterns of about one length, found by pieces of theirs.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/secret_memory.h"
#include "scrub/bytes.h"
#include "scrub/kernels.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {

// Of each pattern, `stride` pieces of `gram_size` bytes (grams) are in a filter: one for each
// remainder that its place in the pattern leaves when it is divided by the stride. Whatever place
// an occurrence has in a text, one of them begins at a multiple of the stride, so looking at those
// finds it.
struct ClassShape {
  std::size_t shortest;  // of its patterns
  unsigned gram_size;
  unsigned stride;
  unsigned neighbours;  // bytes behind a gram, or before it, that each pattern has
};
inline constexpr std::array<ClassShape, 4> kClassShapes = {{
    {.shortest = 1, .gram_size = 1, .stride = 1, .neighbours = 0},
    {.shortest = 2, .gram_size = 2, .stride = 1, .neighbours = 0},
    {.shortest = 4, .gram_size = 3, .stride = 2, .neighbours = 1},
    {.shortest = 7, .gram_size = 4, .stride = 4, .neighbours = 2},
}};

constexpr std::size_t ClassOf(std::size_t length) noexcept {
  std::size_t index = kClassShapes.size() - 1;
  while (length < kClassShapes[index].shortest) --index;
  return index;
}

// The filter of a class, and the table that leads from grams to patterns.
//
// Thread-safety: one thread at a time inserts; others may look up meanwhile, and find what was
// inserted before they were told of it.
class LengthClass {
 public:
  LengthClass(const ClassShape& shape, std::size_t capacity);

  // There must be room. `head`: the first kShortLength bytes of the pattern, or all of it. The
  // grams are those that should turn up least often in logs, and in other patterns.
  void Insert(PatternId id, std::string_view head) noexcept;

  // Calls `take` with each pattern that may have the gram which stands at `place` of the text, and
  // with where in it.
  template <typename Take>
  void ForEachAt(std::string_view text, std::size_t place, Take take) const {
    const std::uint32_t gram = GramAt(text.data() + place);
    const bool has_behind = text.size() - place >= shape_.gram_size + shape_.neighbours;
    const bool has_before = place >= shape_.neighbours;
    const std::uint64_t behind =
        has_behind ? TagOf(gram, Neighbours(text.data() + place + shape_.gram_size)) : kNoTag;
    const std::uint64_t before =
        has_before ? TagOf(gram, Neighbours(text.data() + place - shape_.neighbours)) : kNoTag;
    for (std::size_t bucket = BucketOf(gram);; bucket = Next(bucket)) {
      const std::uint64_t tags = TagsOf(bucket);
      for (std::uint64_t hits = Where(tags, behind) | Where(tags, before); hits != 0;
           hits &= hits - 1) {
        const std::uint32_t entry = entries_[kBucket * bucket + SlotOf(hits)];
        take(static_cast<PatternId>(entry / kShortLength), std::size_t{entry % kShortLength});
      }
      if (Where(tags, kFree) != 0) return;
    }
  }

  // Fetches what ForEachAt() needs ahead of it.
  void PrefetchAt(std::string_view text, std::size_t place) const noexcept {
    __builtin_prefetch(tags_.data() + kBucket * BucketOf(GramAt(text.data() + place)));
  }

  const ClassShape& shape() const noexcept { return shape_; }
  const ProbePlan& plan() const noexcept { return plan_; }  // without few()
  // All grams, if that is of use. Of the inserting thread.
  std::optional<FewGrams> few() const noexcept;
  std::size_t size() const noexcept { return size_; }  // of the inserting thread
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  // The table has buckets of so many slots: one word of tags.
  using Tag = std::uint16_t;
  static constexpr std::size_t kBucket = sizeof(std::uint64_t) / sizeof(Tag);
  static constexpr Tag kFree = 0;  // the tag of a slot in which nothing is
  // Neither is a tag; no slot has the first one.
  static constexpr std::uint64_t kNoTag = 1;
  static constexpr std::uint32_t kFirstTag = 2;

  // Where in the table a gram goes.
  struct Spot {
    std::size_t slot;   // free
    std::size_t alike;  // how many are there that cannot be told from it
    Tag tag;
  };
  Spot SpotOf(std::string_view head, std::size_t place) const noexcept;
  bool IsInFilter(std::uint32_t gram) const noexcept;
  void AddToFew(std::string_view gram) noexcept;

  std::uint32_t GramAt(const char* bytes) const noexcept {
    return static_cast<std::uint32_t>(LoadWord(bytes, shape_.gram_size));
  }
  std::uint32_t Neighbours(const char* bytes) const noexcept {
    return static_cast<std::uint32_t>(LoadWord(bytes, shape_.neighbours));
  }
  std::size_t BucketOf(std::uint32_t gram) const noexcept {
    return std::size_t{HashOf(gram)} * buckets_ >> 32;
  }
  std::size_t Next(std::size_t bucket) const noexcept {
    return bucket + 1 == buckets_ ? 0 : bucket + 1;
  }
  // The lowest one is that of the first slot.
  std::uint64_t TagsOf(std::size_t bucket) const noexcept {
    const auto* const tags =
        reinterpret_cast<const std::uint64_t*>(tags_.data() + kBucket * bucket);
    const std::uint64_t word = __atomic_load_n(tags, __ATOMIC_ACQUIRE);
    return std::endian::native == std::endian::little
               ? word
               : word << 48 | (word & 0xFFFF0000) << 16 | (word >> 16 & 0xFFFF0000) | word >> 48;
  }
  // The top bit of each tag that has the value; perhaps also of one above such a tag.
  static std::uint64_t Where(std::uint64_t tags, std::uint64_t value) noexcept {
    constexpr std::uint64_t kOnes = 0x0001000100010001;
    const std::uint64_t difference = tags ^ value * kOnes;
    return (difference - kOnes) & ~difference & kOnes << 15;
  }
  static std::size_t SlotOf(std::uint64_t hits) noexcept {
    return static_cast<std::size_t>(std::countr_zero(hits)) / 16;
  }
  static Tag TagOf(std::uint32_t gram, std::uint32_t neighbours) noexcept {
    constexpr std::uint32_t kFactor = 0x85EBCA77;
    const std::uint32_t mixed = (gram ^ neighbours * kGramFactor) * kFactor;
    return static_cast<Tag>(std::max(mixed >> 16, kFirstTag));
  }

  const ClassShape shape_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
  ProbePlan plan_;
  FewGrams few_;
  std::size_t grams_ = 0;
  core::SecretVector<std::uint32_t> words_;
  std::size_t buckets_ = 0;
  core::SecretVector<Tag> tags_;               // by slot
  core::SecretVector<std::uint32_t> entries_;  // by slot: pattern and place of the gram in it
};

}  // namespace qarion::secrets::scrub
