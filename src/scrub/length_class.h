// Patterns of about one length, found by pieces of theirs.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/secret_memory.h"
#include "scrub/bytes.h"
#include "scrub/growing_array.h"
#include "scrub/kernels.h"
#include "scrub/pattern.h"
#include "scrub/prefix_lookup.h"
#include "scrub/shared_bits.h"

namespace qarion::secrets::scrub {

// Of each pattern a piece of `window` bytes is looked for. The `stride` pieces of `gram_size` bytes
// in it (grams) are in a filter. Whatever place an occurrence has in a text, one of them begins at
// a multiple of the stride, so looking at those finds it.
struct ClassShape {
  std::size_t window;  // each pattern has so many bytes
  unsigned gram_size;
  unsigned stride;
};
inline constexpr std::array<ClassShape, 4> kClassShapes = {{
    {.window = 1, .gram_size = 1, .stride = 1},
    {.window = 2, .gram_size = 2, .stride = 1},
    {.window = 4, .gram_size = 3, .stride = 2},
    {.window = 8, .gram_size = 5, .stride = 4},
}};
static_assert(std::ranges::all_of(kClassShapes, [](const ClassShape& shape) {
  return shape.window == shape.gram_size + shape.stride - 1;
}));
static_assert(kClassShapes.back().window == kWindowBytes &&
              kClassShapes.back().stride == kWindowGrams);

constexpr std::size_t ClassOf(std::size_t length) noexcept {
  std::size_t index = kClassShapes.size() - 1;
  while (length < kClassShapes[index].window) --index;
  return index;
}

// The filter of a class, and the table that leads from windows to patterns.
//
// Thread-safety: one thread at a time inserts; others may look up meanwhile, and find what was
// inserted before they were told of it.
class LengthClass {
 public:
  // `capacity`: for so many patterns its filters are made.
  LengthClass(const ClassShape& shape, std::size_t capacity);

  // Where other patterns have all windows of a pattern.
  enum class IfCrowded {
    kEnter,  // it is put farther away, and makes looking for all of them slower
    kJoin,   // it joins one of them, and is of the crowd
  };
  // The place of the window that Insert() should try first, one that should turn up seldom in logs.
  // Makes ready for it: it may come a little later. `head`: the first kShortLength bytes of the
  // pattern, or all of it.
  std::uint8_t Prepare(std::string_view head) const noexcept;
  // There must be room. If other patterns have that window, another one is entered. Returns whether
  // it joined others.
  bool Insert(PatternId id, std::string_view head, std::uint8_t first_choice,
              IfCrowded if_crowded) noexcept;
  bool Insert(PatternId id, std::string_view head, IfCrowded if_crowded) noexcept {
    return Insert(id, head, Prepare(head), if_crowded);
  }
  // What finds those that joined. Before the first look.
  void SetCrowd(std::unique_ptr<const PrefixLookup> crowd) noexcept { crowd_ = std::move(crowd); }
  const PrefixLookup* crowd() const noexcept { return crowd_.get(); }
  // How many patterns were put farther away because none was to join. Of the inserting thread.
  std::size_t crowded() const noexcept { return crowded_; }

  // What a window leads to: a pattern that has it at `place`. Others of the crowd may have it
  // there.
  struct Entry {
    PatternId pattern;
    std::uint8_t place;
    bool is_of_crowd;
  };
  // How many bytes before a gram the beginning that an entry says may be: more than those of any
  // pattern, for a window far before a gram may be taken for one at the end of a pattern.
  static constexpr std::size_t kMostBefore = 2 * kShortLength;

  // Calls `take` with the places in the text of windows, and what they lead to: those that have one
  // of these grams. The grams stand at `begin` and these places behind it.
  template <typename Take>
  void ForEachAt(const Kernels& kernels, std::string_view text, std::size_t begin,
                 std::span<const std::uint16_t> places, Take take) const {
    const auto take_all = [&](std::size_t place, std::uint64_t window) {
      ForEachOf(window, [&](const Entry& entry) { take(place, entry); });
    };
    while (!places.empty()) {
      constexpr std::size_t kAtOnce = 128;
      const auto here = places.first(std::min(places.size(), kAtOnce));
      places = places.subspan(here.size());
      std::array<std::uint16_t, kAtOnce> inside;
      std::size_t count = 0;
      for (const std::uint16_t place : here) {
        inside[count] = place;
        if (IsInside(text, begin + place)) {
          ++count;
        } else {
          ForEachWindowAt(text, begin + place, take_all);
        }
      }
      std::array<WindowHit, kAtOnce + 1> hits;
      const std::size_t found =
          kernels.find_windows(text.data() + begin, inside.data(), count, windows_, hits.data());
      for (const WindowHit& hit : std::span(hits.data(), found)) {
        for (unsigned before = hit.before; before != 0; before &= before - 1) {
          const std::size_t place =
              begin + hit.place - static_cast<std::size_t>(std::countr_zero(before));
          take_all(place, LoadWord(text.data() + place));
        }
      }
    }
  }

  // Puts a pattern of so few bytes into the filter of the longest class: whatever place an
  // occurrence has in a text, five bytes that begin at a multiple of the stride have at least four
  // of the pattern, those in the middle among them. Where the first or the last is not of it, it
  // may be any, which is why it is done for a few patterns alone. Returns whether it was.
  static constexpr std::size_t kShortestCarried = 6;
  static constexpr std::size_t kLongestCarried = 7;
  static_assert(kLongestCarried + 1 == kClassShapes.back().window &&
                kClassShapes.back().gram_size == 5 && kClassShapes.back().stride == 4);
  bool Carry(std::string_view pattern) noexcept;
  std::size_t carried() const noexcept { return carried_; }  // how many; of the inserting thread

  const ProbePlan& plan() const noexcept { return plan_; }  // without few()
  const WindowFilter& windows() const noexcept { return windows_; }
  // All grams, if that is of use. Of the inserting thread.
  std::optional<FewGrams> few() const noexcept;
  std::size_t size() const noexcept { return size_; }  // of the inserting thread
  std::size_t capacity() const noexcept { return capacity_; }
  // So many it has room for, although more passes by chance then.
  std::size_t most() const noexcept { return capacity_ + std::max(kLeastSpare, capacity_ / 8); }

 private:
  static constexpr std::size_t kLeastSpare = 16;

  // The table has buckets of four slots, whose tags of 16 bits are one word, the first one lowest.
  static constexpr std::size_t kBucket = 4;
  // A window should be in so many buckets, from the one on where it is looked for, and so few
  // others be alike there.
  static constexpr std::size_t kNear = 4;
  static constexpr std::size_t kFewAlike = 2;
  static constexpr std::uint64_t kOnes = 0x0001000100010001;
  static constexpr std::uint64_t kFree = 0;      // the tag of a slot in which nothing is
  static constexpr std::uint64_t kLeastTag = 2;  // of the others, for Where()

  // Of an entry, from the lowest bit on: its place, whether it is of the crowd, and its pattern.
  static constexpr std::uint32_t kOfCrowd = kShortLength;
  static constexpr std::uint32_t kPatternFactor = 2 * kShortLength;
  static_assert(kMostElements <= (std::uint64_t{1} << 32) / kPatternFactor);
  static Entry Unpacked(std::uint32_t entry) noexcept {
    return {.pattern = entry / kPatternFactor,
            .place = static_cast<std::uint8_t>(entry % kShortLength),
            .is_of_crowd = (entry & kOfCrowd) != 0};
  }

  // Where windows are looked for, and their tags. A window is a number here: its bytes, or, of a
  // window of pairs, what is made of them.
  static constexpr std::uint64_t kWindowFactor = 0xD6E8FEB86659FD93;
  std::size_t BucketOf(std::uint64_t window) const noexcept {
    return (window * kWindowFactor >> 32) * tags_.size() >> 32;
  }
  static std::uint64_t TagOf(std::uint64_t window) noexcept {
    const std::uint64_t hash = window * kWindowFactor;
    return std::max((hash ^ hash >> 32) >> 16 & 0xFFFF, kLeastTag);
  }
  Place InFilterOf(std::uint64_t window) const noexcept {
    return PlaceOf(FoldedWindow(window), windows_.shift);
  }
  bool MayHave(std::uint64_t window) const noexcept {
    const Place place = InFilterOf(window);
    return HasBits(window_words_[place.word], place.bits);
  }
  // Whether the kernels know its windows.
  bool is_of_longest() const noexcept { return shape_.window == kWindowBytes; }
  // Windows of `%61%62` and `61:62` have too little in them. Where patterns go on so for
  // kPairsBytes, these are their window, and its grams begin kPair bytes apart, with a sign each:
  // what has one sign alone is met more often.
  static constexpr std::size_t kPair = 3;
  static constexpr std::size_t kPairsBytes = 16;
  static_assert(kPair % 2 == 1 && 3 * kPair + 2 * kPair < kPairsBytes);
  static_assert((kWindowGrams - 1) * kPair + kShortLength <= kMostBefore);
  static std::uint64_t WindowOfPairs(const char* bytes) noexcept {
    return LoadWord(bytes) ^ LoadWord(bytes + kPairsBytes / 2) * kWindowFactor;
  }
  // Whether a gram may be of such a window: three signs, where a time of day has two.
  static bool IsOfPairs(const char* gram) noexcept {
    return gram[0] == gram[kPair] && gram[0] == gram[2 * kPair] &&
           (gram[0] == '%' || gram[0] == ':');
  }
  // Whether there may be one among these bytes, of a window.
  bool MayHavePairs(const char* window) const noexcept {
    if (!is_of_longest()) return false;
    const auto is_sign = [](char c) { return c == '%' || c == ':'; };
    for (std::size_t i = 0; i < kPair; ++i) {
      if (window[i] == window[i + kPair] && is_sign(window[i])) return true;
    }
    return false;
  }
  // Whether the kernels can look at the windows of a gram.
  bool IsInside(std::string_view text, std::size_t gram) const noexcept {
    return is_of_longest() && gram + 1 >= kWindowGrams &&
           text.size() - gram > kLoadedAtWindow - kWindowGrams && !IsOfPairs(text.data() + gram);
  }
  // Calls `take` with the windows that have a gram, but for most that lead nowhere.
  template <typename Take>
  void ForEachWindowAt(std::string_view text, std::size_t gram, Take take) const {
    const auto fits = [&](std::size_t before, std::size_t size) {
      return before <= gram && text.size() - (gram - before) >= size;
    };
    const char* const at = text.data() + gram;
    const auto look = [&](std::size_t before, std::uint64_t window) {
      if (MayHave(window)) take(gram - before, window);
    };
    for (std::size_t i = 0; i < shape_.stride; ++i) {
      if (fits(i, shape_.window)) look(i, LoadWord(at - i, shape_.window));
    }
    const bool may_be_of_pairs = is_of_longest() && fits(0, 2 * kPair + 1);
    if (!may_be_of_pairs || !IsOfPairs(at)) return;
    for (std::size_t i = 0; i < kWindowGrams; ++i) {
      if (fits(i * kPair, kPairsBytes)) look(i * kPair, WindowOfPairs(at - i * kPair));
    }
  }
  // Calls `take` with the entries of a window, and perhaps of others.
  template <typename Take>
  void ForEachOf(std::uint64_t window, Take take) const {
    for (std::size_t bucket = BucketOf(window);; bucket = Next(bucket)) {
      const std::uint64_t tags = TagsOf(bucket);
      for (std::uint64_t same = Where(tags, TagOf(window)); same != 0; same &= same - 1) {
        take(Unpacked(entries_[kBucket * bucket + SlotOf(same)]));
      }
      if (Where(tags, kFree) != 0) return;
    }
  }

  // Where in the table a window goes.
  struct Spot {
    std::size_t slot;
    std::uint8_t place;  // of the window in the pattern
    std::uint64_t window;
  };
  // Of windows: how rare they are, and in the low byte the place.
  using Ratings = std::array<std::uint16_t, kShortLength>;
  static std::uint8_t PlaceOfRated(std::uint16_t rating) noexcept {
    return static_cast<std::uint8_t>(rating);
  }
  std::span<std::uint16_t> RateWindows(std::string_view head, Ratings& room) const noexcept;
  std::uint8_t FirstChoice(std::string_view head) const noexcept;
  std::uint64_t WindowIn(std::string_view head, std::size_t place) const noexcept;
  bool HasPairs(std::string_view head, std::size_t place) const noexcept;
  unsigned RarityAt(std::string_view head, std::size_t gram) const noexcept;
  unsigned RareEnough() const noexcept;
  std::optional<Spot> NearSpot(std::string_view head, std::uint8_t place) const noexcept;
  Spot FarSpot(std::string_view head, std::uint8_t place) const noexcept;
  bool Join(std::string_view head, std::uint8_t place) noexcept;
  void Enter(PatternId id, std::string_view head, const Spot& spot) noexcept;
  void LetPass(std::string_view head, std::size_t place, std::uint64_t window) noexcept;
  template <typename Take>
  void ForEachGram(std::string_view head, std::size_t place, Take take) const;
  void AddToFilter(std::uint64_t gram) noexcept;
  void AddToFew(std::string_view gram) noexcept;
  bool HasFew(std::string_view gram) const noexcept;

  std::uint64_t GramAt(const char* bytes) const noexcept {
    return LoadWord(bytes, shape_.gram_size);
  }
  std::size_t Next(std::size_t bucket) const noexcept {
    return bucket + 1 == tags_.size() ? 0 : bucket + 1;
  }
  std::uint64_t TagsOf(std::size_t bucket) const noexcept {
    return __atomic_load_n(tags_.data() + bucket, __ATOMIC_ACQUIRE);
  }
  // The top bit of each tag that has the value; perhaps also of one above such a tag that differs
  // in the lowest bit alone, which no free slot does.
  static std::uint64_t Where(std::uint64_t tags, std::uint64_t value) noexcept {
    const std::uint64_t difference = tags ^ value * kOnes;
    return (difference - kOnes) & ~difference & kOnes << 15;
  }
  static std::size_t SlotOf(std::uint64_t hits) noexcept {
    return static_cast<std::size_t>(std::countr_zero(hits)) / 16;
  }

  const ClassShape shape_;
  const std::size_t capacity_;
  std::size_t size_ = 0;
  ProbePlan plan_;
  FewGrams few_;
  std::size_t grams_ = 0;
  core::SecretVector<std::uint32_t> words_;
  // Before the table, which takes longer to say that it has none.
  WindowFilter windows_;
  core::SecretVector<std::uint32_t> window_words_;
  core::SecretVector<std::uint64_t> tags_;     // by bucket
  core::SecretVector<std::uint32_t> entries_;  // by slot
  std::size_t crowded_ = 0;
  std::size_t carried_ = 0;
  std::size_t carried_grams_ = 0;
  std::unique_ptr<const PrefixLookup> crowd_;
};

}  // namespace qarion::secrets::scrub
