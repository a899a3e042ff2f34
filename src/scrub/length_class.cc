#include "scrub/length_class.h"

#include <bit>

#include "scrub/rarity.h"
#include "scrub/shared_bits.h"

namespace qarion::secrets::scrub {
namespace {

// A word for each gram, so that one probe in 350 or fewer hits by chance; two for three where the
// filter would not fit into the second-level cache of some processors.
constexpr std::size_t kFewWords = std::size_t{1} << 12;   // 16 KiB, half of a first-level cache
constexpr std::size_t kManyWords = std::size_t{1} << 16;  // 256 KiB
constexpr std::size_t kMostWords = std::size_t{1} << 19;  // 2 MiB

std::size_t WordsFor(std::size_t grams) noexcept {
  const std::size_t words = std::bit_ceil(grams);
  if (words > kManyWords) return std::min(std::bit_ceil(grams * 2 / 3), kMostWords);
  // Up to this size a larger one is as fast.
  return std::max(words, std::min(std::bit_ceil(2 * grams), kFewWords));
}

}  // namespace

LengthClass::LengthClass(const ClassShape& shape, std::size_t capacity)
    : shape_(shape), capacity_(capacity) {
  const std::size_t grams = capacity * shape.stride;
  const std::size_t words = WordsFor(grams);
  words_.resize(words);
  plan_ = {.words = words_.data(),
           .shift = static_cast<unsigned>(32 - std::countr_zero(words)),
           .gram_size = shape.gram_size,
           .stride = shape.stride};
  buckets_ = (grams + grams / 4) / kBucket + 1;
  tags_.resize(buckets_);
  entries_.resize(kBucket * buckets_);
}

std::size_t LengthClass::Narrow(std::string_view text, std::size_t begin, std::uint16_t* places,
                                std::size_t count) const noexcept {
  constexpr std::size_t kAtOnce = 32;
  std::array<std::array<Key, 2>, kAtOnce> keys;
  std::size_t left = 0;
  for (std::size_t done = 0; done < count; done += kAtOnce) {
    const std::size_t here = std::min(kAtOnce, count - done);
    for (std::size_t i = 0; i < here; ++i) {
      keys[i] = KeysAt(text, begin + places[done + i]);
      for (const Key key : keys[i]) {
        __builtin_prefetch(tags_.data() + BucketOf(key));
      }
    }
    for (std::size_t i = 0; i < here; ++i) {
      places[left] = places[done + i];
      const bool may_have = MayHave(keys[i][0]) || MayHave(keys[i][1]);
      left += std::size_t{may_have};
    }
  }
  return left;
}

std::optional<LengthClass::Spot> LengthClass::FindFree(std::string_view head, std::size_t place,
                                                       std::size_t most_buckets) const noexcept {
  const std::uint32_t gram = GramAt(head.data() + place);
  const bool has_behind = place + shape_.gram_size + shape_.neighbours <= head.size();
  const std::size_t neighbours = has_behind ? place + shape_.gram_size : place - shape_.neighbours;
  const Key key = KeyOf(gram, Neighbours(head.data() + neighbours));
  std::size_t bucket = BucketOf(key);
  for (std::size_t walked = 0; walked < most_buckets; ++walked, bucket = Next(bucket)) {
    if (const std::uint64_t free = Where(TagsOf(bucket), kFree)) {
      return Spot{.slot = kBucket * bucket + SlotOf(free), .place = place, .tag = key.tag};
    }
  }
  return std::nullopt;
}

// Of the grams at `first` and each stride behind it: the rarest that few patterns have. What many
// have fills the buckets where it is looked for.
LengthClass::Spot LengthClass::ChooseSpot(std::string_view head, std::size_t first) const noexcept {
  constexpr int kTried = -1;
  std::array<int, kShortLength> rarities;  // of the grams at each place
  const std::size_t last = head.size() - shape_.gram_size;
  for (std::size_t place = first; place <= last; place += shape_.stride) {
    rarities[place] = 0;
    for (std::size_t i = 0; i < shape_.gram_size; ++i) {
      rarities[place] += kRarity[ByteAt(head, place + i)];
    }
  }
  // Of equal ones the last: what has only the beginning of the pattern does not have it.
  const auto rarest = [&](const auto& of) {
    std::size_t best = first;
    for (std::size_t place = first; place <= last; place += shape_.stride) {
      if (of[place] >= of[best]) best = place;
    }
    return best;
  };
  constexpr std::array<std::size_t, 3> kNear = {2, 8, 64};
  for (const std::size_t most_buckets : kNear) {
    std::array<int, kShortLength> left = rarities;
    for (std::size_t best = rarest(left); left[best] != kTried; best = rarest(left)) {
      if (const auto spot = FindFree(head, best, most_buckets)) return *spot;
      left[best] = kTried;
    }
  }
  return *FindFree(head, rarest(rarities), buckets_);
}

void LengthClass::Insert(PatternId id, std::string_view head) noexcept {
  for (std::size_t first = 0; first < shape_.stride; ++first) {
    const Spot spot = ChooseSpot(head, first);
    entries_[spot.slot] = id * std::uint32_t{kShortLength} + static_cast<std::uint32_t>(spot.place);
    std::uint64_t& tags = tags_[spot.slot / kBucket];
    __atomic_store_n(&tags, tags | spot.tag << 16 * (spot.slot % kBucket), __ATOMIC_RELEASE);
    const Place in_filter = PlaceOf(HashOf(GramAt(head.data() + spot.place)), plan_.shift);
    SetBits(words_[in_filter.word], in_filter.bits);
    AddToFew(head.substr(spot.place, shape_.gram_size));
  }
  ++size_;
}

void LengthClass::AddToFew(std::string_view gram) noexcept {
  const auto group = static_cast<std::uint8_t>(1U << grams_++ % 8);
  for (std::size_t i = 0; i < FewGrams::kBytes; ++i) {
    // Where a gram is shorter, any byte follows.
    const unsigned any = i < gram.size() ? 0 : 15;
    const unsigned c = i < gram.size() ? ByteAt(gram, i) : 0;
    for (unsigned row = 0; row <= any; ++row) {
      few_.low[i][(c & 15) | row] |= group;
      few_.high[i][c >> 4 | row] |= group;
    }
  }
}

std::optional<FewGrams> LengthClass::few() const noexcept {
  constexpr std::size_t kMost = 24;  // three in a group
  const bool is_of_use = shape_.stride < kMostGramBytes && grams_ <= kMost;
  return is_of_use ? std::optional(few_) : std::nullopt;
}

}  // namespace qarion::secrets::scrub
