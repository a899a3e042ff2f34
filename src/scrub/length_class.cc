#include "scrub/length_class.h"

#include <bit>

#include "scrub/rarity.h"
#include "scrub/shared_bits.h"

namespace qarion::secrets::scrub {
namespace {

// Three words for four grams, so that one probe in 250 or fewer hits by chance; three for eight
// where there are so many that the filter would not fit into the second-level cache of some
// processors beside the text: a good part of them, those of all forms, are alike.
constexpr std::size_t kFewWords = std::size_t{1} << 12;  // 16 KiB, half of a first-level cache
constexpr std::size_t kManyGrams = std::size_t{1} << 16;
constexpr std::size_t kMostWords = std::size_t{1} << 19;  // 2 MiB

// What makes up for grams being common in logs that are told apart by more neighbours.
constexpr unsigned kDistinct = 16;

constexpr std::size_t kMostFew = 24;  // three in a group

std::size_t WordsFor(std::size_t grams) noexcept {
  const std::size_t words = std::bit_ceil(grams * 3 / 4 + 1);
  if (grams > kManyGrams) return std::min(std::bit_ceil(grams * 3 / 8), kMostWords);
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
  tags_.resize(buckets_ + kNear - 1);
  entries_.resize(kBucket * tags_.size());
}

LengthClass::Candidates LengthClass::Prepare(std::string_view head) const noexcept {
  Candidates grams;
  grams.count = head.size() - shape_.gram_size + 1;
  // Of equal ones the last, as in Rarest().
  std::array<std::uint16_t, 4> best{};
  unsigned rarity = 0;
  for (std::size_t i = 0; i + 1 < shape_.gram_size; ++i) rarity += kRarity[ByteAt(head, i)];
  for (std::size_t place = 0; place < grams.count; ++place) {
    rarity += kRarity[ByteAt(head, place + shape_.gram_size - 1)];
    const unsigned distinct = HasManyNeighbours(head, place) ? kDistinct : 0;
    grams.rarities[place] = static_cast<std::uint8_t>(rarity + distinct);
    const auto both = static_cast<std::uint16_t>((rarity + distinct) << 8 | place);
    std::uint16_t& rarest = best[place & (shape_.stride - 1)];
    rarest = std::max(rarest, both);
    rarity -= kRarity[ByteAt(head, place)];
  }
  for (std::size_t first = 0; first < shape_.stride; ++first) {
    const auto place = static_cast<std::uint8_t>(best[first]);
    grams.rarest[first] = place;
    const std::size_t bucket = KeyIn(head, place).bucket;
    __builtin_prefetch(tags_.data() + bucket, 1);
    __builtin_prefetch(entries_.data() + kBucket * bucket, 1);
    const std::uint64_t gram = GramAt(head.data() + place);
    __builtin_prefetch(words_.data() + PlaceOf(gram, plan_.shift).word, 1);
  }
  return grams;
}

// Of those at `first` and the strides behind it. Of equal ones the last: what has only the
// beginning of the pattern does not have it.
std::size_t LengthClass::Rarest(const Candidates& grams, std::size_t first) const noexcept {
  std::size_t rarest = first;
  for (std::size_t place = first; place < grams.count; place += shape_.stride) {
    if (grams.rarities[place] >= grams.rarities[rarest]) rarest = place;
  }
  return rarest;
}

// Calls `take` with the places of Rarest() order until it returns true; returns whether it did.
template <typename Take>
bool LengthClass::TakeRarestFirst(const Candidates& grams, std::size_t first, Take take) const {
  constexpr std::uint8_t kTaken = 0;
  if (take(grams.rarest[first])) return true;
  Candidates left = grams;
  left.rarities[grams.rarest[first]] = kTaken;
  for (;;) {
    const std::size_t place = Rarest(left, first);
    if (std::exchange(left.rarities[place], kTaken) == kTaken) return false;
    if (take(static_cast<std::uint8_t>(place))) return true;
  }
}

// Of the gram at `place` with its neighbours: those behind it, or before it at the end of a
// pattern.
LengthClass::Key LengthClass::KeyIn(std::string_view head, std::size_t place) const noexcept {
  const char* const gram = head.data() + place;
  const std::size_t left = head.size() - place - shape_.gram_size;
  if (HasManyNeighbours(head, place)) {
    const bool are_behind = left >= kManyNeighbours;
    return KeyOfMany(gram, are_behind ? gram + shape_.gram_size : gram - kManyNeighbours);
  }
  return left >= shape_.neighbours ? KeyBehind(gram) : KeyBefore(gram);
}

bool LengthClass::HasManyNeighbours(std::string_view head, std::size_t place) const noexcept {
  if (!IsOfPairs(head.data() + place)) return false;
  const auto is_sign = [&](std::size_t at) { return head[at] == head[place]; };
  const std::size_t behind = head.size() - place - shape_.gram_size;
  return (behind >= kManyNeighbours && is_sign(place + 6) && is_sign(place + 9)) ||
         (place >= kManyNeighbours && is_sign(place - 3) && is_sign(place - 6));
}

// Where few others are alike, and near.
std::optional<LengthClass::Spot> LengthClass::NearSpot(std::string_view head,
                                                       std::uint8_t place) const noexcept {
  const Key key = KeyIn(head, place);
  std::size_t bucket = key.bucket;
  std::size_t alike = 0;
  for (std::size_t walked = 0; walked < kNear; ++walked, ++bucket) {
    const std::uint64_t tags = TagsOf(bucket);
    for (std::uint64_t same = Where(tags, key.tag); same != 0; same &= same - 1) ++alike;
    if (alike > kFewAlike) break;
    if (const std::uint64_t free = Where(tags, kFree)) {
      return Spot{.slot = kBucket * bucket + SlotOf(free), .place = place, .tag = key.tag};
    }
  }
  return std::nullopt;
}

// However far it is, and many are alike.
LengthClass::Spot LengthClass::FarSpot(std::string_view head, std::uint8_t place) noexcept {
  const Key key = KeyIn(head, place);
  std::size_t bucket = key.bucket;
  std::size_t walked = 0;
  for (; Where(TagsOf(bucket), kFree) == 0; ++walked) bucket = Next(bucket);
  if (walked >= kNear) {
    std::uint64_t& tags = tags_[key.bucket];
    __atomic_store_n(&tags, tags | kHasFar, __ATOMIC_RELEASE);
  }
  return {.slot = kBucket * bucket + SlotOf(Where(TagsOf(bucket), kFree)),
          .place = place,
          .tag = key.tag};
}

// Marks an entry that is found where this gram is looked for, and has its place.
bool LengthClass::Join(std::string_view head, std::uint8_t place) noexcept {
  const Key key = KeyIn(head, place);
  std::size_t bucket = key.bucket;
  for (std::size_t walked = 0; walked < kNear; ++walked, ++bucket) {
    const std::uint64_t tags = TagsOf(bucket);
    for (std::size_t i = 0; i < kBucket; ++i) {
      if ((tags >> 16 * i & 0xFFFF) != key.tag) continue;
      std::uint32_t& entry = entries_[kBucket * bucket + i];
      if (Unpacked(entry).place != place) continue;
      entry |= kOfCrowd;
      AddToFilter(head, place);
      return true;
    }
    if (Where(tags, kFree) != 0) break;
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
  AddToFilter(GramAt(head.data() + place));
  AddToFew(head.substr(place, shape_.gram_size));
}

void LengthClass::AddToFilter(std::uint64_t gram) noexcept {
  const Place place = PlaceOf(gram, plan_.shift);
  SetBits(words_[place.word], place.bits);
}

bool LengthClass::Carry(std::string_view pattern) noexcept {
  constexpr std::uint64_t kBytes = 256;
  constexpr std::size_t kShareOfCarried = 6;  // one gram to so many words: more let much more pass
  const bool ends_early = pattern.size() == kShortestCarried;
  const std::size_t whole = pattern.size() - kMostGramBytes + 1;
  const std::size_t grams = whole + kBytes * (ends_early ? 2 : 1);
  if (carried_grams_ + grams > words_.size() / kShareOfCarried) return false;
  carried_grams_ += grams;
  ++carried_;
  const std::uint64_t bytes = LoadWord(pattern.data(), pattern.size());
  const auto add = [&](std::uint64_t gram) { AddToFilter(GramOf(gram, kMostGramBytes)); };
  for (std::uint64_t any = 0; any < kBytes; ++any) {
    add(bytes << 8 | any);
    if (ends_early) add(bytes >> 16 | any << 32);
  }
  for (std::size_t place = 0; place < whole; ++place) add(bytes >> 8 * place);
  return true;
}

bool LengthClass::Insert(PatternId id, std::string_view head, const Candidates& grams,
                         IfCrowded if_crowded) noexcept {
  bool has_joined = false;
  for (std::size_t first = 0; first < shape_.stride; ++first) {
    const auto enter_near = [&](std::uint8_t place) {
      const auto spot = NearSpot(head, place);
      if (spot) Enter(id, head, *spot);
      return spot.has_value();
    };
    if (TakeRarestFirst(grams, first, enter_near)) continue;
    const auto join = [&](std::uint8_t place) { return Join(head, place); };
    if (if_crowded == IfCrowded::kJoin && TakeRarestFirst(grams, first, join)) {
      has_joined = true;
    } else {
      Enter(id, head, FarSpot(head, grams.rarest[first]));
      if (if_crowded == IfCrowded::kEnter) ++crowded_;
    }
  }
  ++size_;
  return has_joined;
}

bool LengthClass::HasFew(std::string_view gram) const noexcept {
  unsigned groups = 0xFF;
  for (std::size_t i = 0; i < std::min(gram.size(), FewGrams::kBytes); ++i) {
    const unsigned c = ByteAt(gram, i);
    groups &= few_.low[i][c & 15] & few_.high[i][c >> 4];
  }
  return groups != 0;
}

void LengthClass::AddToFew(std::string_view gram) noexcept {
  if (grams_ > kMostFew || HasFew(gram)) return;
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
  const bool is_of_use = shape_.gram_size <= FewGrams::kBytes && grams_ <= kMostFew;
  return is_of_use ? std::optional(few_) : std::nullopt;
}

}  // namespace qarion::secrets::scrub
