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
    {.shortest = 8, .gram_size = 5, .stride = 4, .neighbours = 2},
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

  // Where other patterns fill the places of all grams of a pattern.
  enum class IfCrowded {
    kEnter,  // it is put farther away, and makes looking for all of them slower
    kJoin,   // it joins one of them, and is of the crowd
  };
  // The grams of a pattern.
  struct Candidates {
    std::array<std::uint8_t, kShortLength> rarities;  // by place
    std::size_t count = 0;
    std::array<std::uint8_t, 4> rarest;  // the place of the rarest one for each remainder
  };
  // Makes ready for what Insert() will do a little later. `head`: the first kShortLength bytes of
  // the pattern, or all of it.
  Candidates Prepare(std::string_view head) const noexcept;
  // There must be room. The grams that are entered are those that should turn up least often in
  // logs, and in other patterns. Returns whether it joined others.
  bool Insert(PatternId id, std::string_view head, const Candidates& grams,
              IfCrowded if_crowded) noexcept;
  bool Insert(PatternId id, std::string_view head, IfCrowded if_crowded) noexcept {
    return Insert(id, head, Prepare(head), if_crowded);
  }
  // What finds those that joined. Before the first look.
  void SetCrowd(std::unique_ptr<const PrefixLookup> crowd) noexcept { crowd_ = std::move(crowd); }
  const PrefixLookup* crowd() const noexcept { return crowd_.get(); }
  // How many grams were put farther away because none was to join. Of the inserting thread.
  std::size_t crowded() const noexcept { return crowded_; }

  // What a gram leads to: a pattern that has it at `place`. Others of the crowd may have it there.
  struct Entry {
    PatternId pattern;
    std::uint8_t place;
    bool is_of_crowd;
  };

  // Calls `take` with the places in the text of grams, and what they lead to. They stand at `begin`
  // and these places behind it, `count` of them.
  template <typename Take>
  void ForEachAt(std::string_view text, std::size_t begin, const std::uint16_t* places,
                 std::size_t count, Take take) const {
    constexpr std::size_t kAtOnce = 32;
    std::array<Look, kAtOnce * kMostKeys> looks;
    for (std::size_t done = 0; done < count; done += kAtOnce) {
      const std::size_t here = std::min(kAtOnce, count - done);
      const Look* const last = PutLooks(text, begin, {places + done, here}, looks.data());
      // Most lead nowhere, which is told without a branch for each.
      std::array<Found, kAtOnce * kMostKeys> found;
      Found* end = found.data();
      for (const Look* look = looks.data(); look != last; ++look) {
        *end = {.slots = SlotsOf(*look), .look = *look};
        end += end->slots != 0;
      }
      for (const Found* one = found.data(); one != end; ++one) {
        ForEachIn(*one, [&](const Entry& entry) { take(begin + one->look.place, entry); });
      }
    }
  }

  // Puts a pattern of so few bytes into the filter of the longest class: whatever place an
  // occurrence has in a text, five bytes that begin at a multiple of the stride have at least four
  // of the pattern, those in the middle among them. Where the first or the last is not of it, it
  // may be any, which is why it is done for a few patterns alone. Returns whether it was.
  static constexpr std::size_t kShortestCarried = 6;
  static constexpr std::size_t kLongestCarried = 7;
  static_assert(kLongestCarried + 1 == kClassShapes.back().shortest &&
                kClassShapes.back().gram_size == 5 && kClassShapes.back().stride == 4);
  bool Carry(std::string_view pattern) noexcept;
  std::size_t carried() const noexcept { return carried_; }  // how many; of the inserting thread

  const ProbePlan& plan() const noexcept { return plan_; }  // without few()
  // All grams, if that is of use. Of the inserting thread.
  std::optional<FewGrams> few() const noexcept;
  std::size_t size() const noexcept { return size_; }  // of the inserting thread
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  // The table has buckets of four slots, whose tags of 15 bits are one word, the first one lowest.
  static constexpr std::size_t kBucket = 4;
  // In that word: grams are looked for from here on that are not in the next kNear buckets.
  static constexpr std::uint64_t kHasFar = std::uint64_t{1} << 63;
  // A gram should be in so many buckets, from the one on where it is looked for, and so few others
  // be alike there.
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

  // What a gram and its neighbours on one side lead to: its tag, and the bucket from which on it is
  // looked for. `both`: the bytes of both, with neighbours before the gram kBefore bits higher:
  // `ABCDEFG` is `ABCDE` with those behind it, and `CDEFG` with those before, which lead to
  // different entries.
  static constexpr unsigned kBefore = 8;  // seven bytes have room
  struct Key {
    std::uint32_t bucket;
    std::uint16_t tag;
  };
  Key KeyOf(std::uint64_t both) const noexcept {
    // Each byte counts at two places, or those that differ in one could be near each other.
    const std::uint64_t hash = (both ^ both >> 16) * 0xD6E8FEB86659FD93;
    return {
        .bucket = static_cast<std::uint32_t>((hash >> 32) * buckets_ >> 32),
        .tag = static_cast<std::uint16_t>(std::max((hash ^ hash >> 32) >> 16 & 0x7FFF, kLeastTag))};
  }
  std::size_t BytesOfBoth() const noexcept { return shape_.gram_size + shape_.neighbours; }
  Key KeyBehind(const char* gram) const noexcept { return KeyOf(LoadWord(gram, BytesOfBoth())); }
  Key KeyBefore(const char* gram) const noexcept {
    return KeyOf(LoadWord(gram - shape_.neighbours, BytesOfBoth()) << kBefore);
  }
  // Of what `%61%62` and `61:62` have in common with each other there is too little in a gram and
  // its neighbours. Of grams with two of their signs, more neighbours count where a pattern has
  // more such pairs in them.
  static constexpr unsigned kManyNeighbours = 8;  // on either side: 13 bytes are not met by chance
  Key KeyOfMany(const char* gram, const char* neighbours) const noexcept {
    return KeyOf(std::rotl(LoadWord(neighbours, kManyNeighbours), 8 * kMostGramBytes) ^
                 LoadWord(gram, kMostGramBytes));
  }
  bool IsOfPairs(const char* gram) const noexcept {
    return shape_.gram_size == kMostGramBytes && gram[0] == gram[3] &&
           (gram[0] == '%' || gram[0] == ':');
  }
  static constexpr std::size_t kMostKeys = 4;
  struct Look {
    std::uint32_t bucket;
    std::uint16_t tag;
    std::uint16_t place;
  };
  // Puts down the keys of the grams at places behind `begin`, and prefetches their buckets: with
  // the neighbours behind a gram, and with those before it; where there are none, no pattern can be
  // found by them. Returns the end of them.
  Look* PutLooks(std::string_view text, std::size_t begin, std::span<const std::uint16_t> places,
                 Look* out) const noexcept {
    const auto put = [&](std::uint16_t place, Key key) {
      __builtin_prefetch(tags_.data() + key.bucket);
      *out++ = {.bucket = key.bucket, .tag = key.tag, .place = place};
    };
    for (const std::uint16_t place : places) {
      const std::size_t at = begin + place;
      const char* const bytes = text.data() + at;
      constexpr std::size_t kEight = sizeof(std::uint64_t);
      const bool has_around = at >= 2 && text.size() - at >= kEight;
      if (shape_.gram_size == kMostGramBytes && has_around && !IsOfPairs(bytes)) {
        // As ForEachKeyAt() would, with fewer instructions.
        static_assert(kClassShapes.back().gram_size + kClassShapes.back().neighbours == kEight - 1);
        put(place, KeyOf(LoadWord(bytes) << 8 >> 8));
        put(place, KeyOf(LoadWord(bytes - 2) << kBefore));
      } else {
        ForEachKeyAt(text, at, [&](Key key) { put(place, key); });
      }
    }
    return out;
  }
  template <typename Take>
  void ForEachKeyAt(std::string_view text, std::size_t place, Take take) const {
    const char* const at = text.data() + place;
    const std::size_t left = text.size() - place - shape_.gram_size;
    if (left >= shape_.neighbours) take(KeyBehind(at));
    if (shape_.neighbours == 0) return;  // both sides are the same
    if (place >= shape_.neighbours) take(KeyBefore(at));
    if (!IsOfPairs(at)) return;
    if (left >= kManyNeighbours) take(KeyOfMany(at, at + shape_.gram_size));
    if (place >= kManyNeighbours) take(KeyOfMany(at, at - kManyNeighbours));
  }
  // In which slots of the kNear buckets from that of a look on its tag is: bit 16 i + k stands for
  // slot i of bucket k. And kHasFar.
  struct Found {
    std::uint64_t slots;
    Look look;
  };
  std::uint64_t SlotsOf(const Look& look) const noexcept {
    static_assert(kNear == 4 && kBucket == 4);
    using Tags = std::uint16_t __attribute__((vector_size(16)));
    using Buckets = std::uint64_t __attribute__((vector_size(16)));
    const std::uint64_t* const near = tags_.data() + look.bucket;
    const auto two = [&](std::size_t index) {
      return Buckets{LoadTags(near + index), LoadTags(near + index + 1)};
    };
    const auto have_it = [&](const Buckets& buckets) {
      const auto tags = reinterpret_cast<Tags>(buckets & ~kHasFar);
      return reinterpret_cast<Buckets>(tags == Tags{} + look.tag);
    };
    const Buckets first = two(0);
    const Buckets second = two(2);
    const Buckets slots = (have_it(first) & kOnes) | (have_it(second) & kOnes << 2);
    return slots[0] | slots[1] << 1 | (first[0] & kHasFar);
  }
  template <typename Take>
  void ForEachIn(const Found& found, Take take) const {
    const std::size_t first = found.look.bucket;
    for (std::uint64_t slots = found.slots & ~kHasFar; slots != 0; slots &= slots - 1) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(slots));
      take(Unpacked(entries_[kBucket * (first + bit % 16) + bit / 16]));
    }
    if ((found.slots & kHasFar) == 0) return;
    for (std::size_t bucket = Next(first + kNear - 1);; bucket = Next(bucket)) {
      const std::uint64_t tags = TagsOf(bucket);
      for (std::uint64_t same = Where(tags, found.look.tag); same != 0; same &= same - 1) {
        take(Unpacked(entries_[kBucket * bucket + SlotOf(same)]));
      }
      if (Where(tags, kFree) != 0) return;
    }
  }

  // Where in the table a gram goes.
  struct Spot {
    std::size_t slot;
    std::uint8_t place;  // of the gram in the pattern
    std::uint64_t tag;
  };
  std::size_t Rarest(const Candidates& grams, std::size_t first) const noexcept;
  template <typename Take>
  bool TakeRarestFirst(const Candidates& grams, std::size_t first, Take take) const;
  Key KeyIn(std::string_view head, std::size_t place) const noexcept;
  bool HasManyNeighbours(std::string_view head, std::size_t place) const noexcept;
  std::optional<Spot> NearSpot(std::string_view head, std::uint8_t place) const noexcept;
  Spot FarSpot(std::string_view head, std::uint8_t place) noexcept;
  bool Join(std::string_view head, std::uint8_t place) noexcept;
  void Enter(PatternId id, std::string_view head, const Spot& spot) noexcept;
  void AddToFilter(std::string_view head, std::size_t place) noexcept;
  void AddToFilter(std::uint64_t gram) noexcept;
  void AddToFew(std::string_view gram) noexcept;
  bool HasFew(std::string_view gram) const noexcept;

  std::uint64_t GramAt(const char* bytes) const noexcept {
    return LoadWord(bytes, shape_.gram_size);
  }
  std::size_t Next(std::size_t bucket) const noexcept {
    return bucket + 1 == tags_.size() ? 0 : bucket + 1;
  }
  static std::uint64_t LoadTags(const std::uint64_t* tags) noexcept {
    return __atomic_load_n(tags, __ATOMIC_ACQUIRE);
  }
  std::uint64_t TagsOf(std::size_t bucket) const noexcept {
    return LoadTags(tags_.data() + bucket) & ~kHasFar;
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
  std::size_t buckets_ = 0;  // from which grams are looked for on; there are kNear - 1 more
  core::SecretVector<std::uint64_t> tags_;     // by bucket
  core::SecretVector<std::uint32_t> entries_;  // by slot
  std::size_t crowded_ = 0;
  std::size_t carried_ = 0;
  std::size_t carried_grams_ = 0;
  std::unique_ptr<const PrefixLookup> crowd_;
};

}  // namespace qarion::secrets::scrub
