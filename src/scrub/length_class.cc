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
      left += std::size_t{Has(keys[i][0]) || Has(keys[i][1])};
    }
  }
  return left;
}

// The places of grams at `first` and each stride behind it, the rarest gram first. Of equal ones
// the last: what has only the beginning of the pattern does not have it.
LengthClass::Places LengthClass::RarestFirst(std::string_view head,
                                             std::size_t first) const noexcept {
  Places places;
  std::array<int, kShortLength> rarities;  // by place
  for (std::size_t place = first; place + shape_.gram_size <= head.size(); place += shape_.stride) {
    int rarity = 0;
    for (std::size_t i = 0; i < shape_.gram_size; ++i) rarity += kRarity[ByteAt(head, place + i)];
    rarities[place] = rarity;
    std::size_t at = places.count++;
    for (; at != 0 && rarities[places.all[at - 1]] <= rarity; --at) {
      places.all[at] = places.all[at - 1];
    }
    places.all[at] = static_cast<std::uint8_t>(place);
  }
  return places;
}

// Of the gram at `place` with its neighbours: those behind it, or before it at the end of a
// pattern.
LengthClass::Key LengthClass::KeyIn(std::string_view head, std::size_t place) const noexcept {
  const bool has_behind = place + shape_.gram_size + shape_.neighbours <= head.size();
  const std::size_t neighbours = has_behind ? place + shape_.gram_size : place - shape_.neighbours;
  return KeyOf(GramAt(head.data() + place), Neighbours(head.data() + neighbours));
}

// The rarest gram that has a free slot near to where it is looked for.
std::optional<LengthClass::Spot> LengthClass::FindSpot(std::string_view head, const Places& places,
                                                       std::size_t most_buckets) const noexcept {
  for (const std::uint8_t place : places) {
    const Key key = KeyIn(head, place);
    std::size_t bucket = BucketOf(key);
    for (std::size_t walked = 0; walked < most_buckets; ++walked, bucket = Next(bucket)) {
      if (const std::uint64_t free = Where(TagsOf(bucket), kFree)) {
        return Spot{.slot = kBucket * bucket + SlotOf(free), .place = place, .tag = key.tag};
      }
    }
  }
  return std::nullopt;
}

// Marks an entry that is found where one of these grams is looked for.
bool LengthClass::Join(std::string_view head, const Places& places) noexcept {
  for (const std::uint8_t place : places) {
    const Key key = KeyIn(head, place);
    std::size_t bucket = BucketOf(key);
    for (std::size_t walked = 0; walked < kNear; ++walked, bucket = Next(bucket)) {
      const std::uint64_t tags = TagsOf(bucket);
      for (std::size_t i = 0; i < kBucket; ++i) {
        std::uint32_t& entry = entries_[kBucket * bucket + i];
        if ((tags >> 16 * i & 0xFFFF) != key.tag || Unpacked(entry).place != place) continue;
        entry |= kOfCrowd;
        AddToFilter(head, place);
        return true;
      }
    }
  }
  return false;
}

void LengthClass::Enter(PatternId id, std::string_view head, const Spot& spot) noexcept {
  entries_[spot.slot] = id * kPatternFactor + spot.place;
  std::uint64_t& tags = tags_[spot.slot / kBucket];
  __atomic_store_n(&tags, tags | spot.tag << 16 * (spot.slot % kBucket), __ATOMIC_RELEASE);
  AddToFilter(head, spot.place);
}

void LengthClass::AddToFilter(std::string_view head, std::size_t place) noexcept {
  const Place in_filter = PlaceOf(HashOf(GramAt(head.data() + place)), plan_.shift);
  SetBits(words_[in_filter.word], in_filter.bits);
  AddToFew(head.substr(place, shape_.gram_size));
}

bool LengthClass::Insert(PatternId id, std::string_view head, IfCrowded if_crowded) noexcept {
  bool has_joined = false;
  for (std::size_t first = 0; first < shape_.stride; ++first) {
    const Places places = RarestFirst(head, first);
    auto spot = FindSpot(head, places, kNear);
    if (!spot && if_crowded == IfCrowded::kJoin && Join(head, places)) {
      has_joined = true;
      continue;
    }
    if (!spot && if_crowded == IfCrowded::kEnter) ++crowded_;
    for (const std::size_t most_buckets : {kFar, kFarther, buckets_}) {
      if (!spot) spot = FindSpot(head, places, most_buckets);
    }
    Enter(id, head, *spot);
  }
  ++size_;
  return has_joined;
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
