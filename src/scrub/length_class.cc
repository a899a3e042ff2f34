#include "scrub/length_class.h"

#include <algorithm>
#include <bit>
#include <functional>

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

// What makes up for pairs being common in logs, where they are told apart by more of them.
constexpr unsigned kDistinct = 16;

// Of windows in whose grams bytes are so rare on an average the last one is best: what has only the
// beginning of the pattern does not have it.
constexpr unsigned kRareEnough = 4;

// Half a word for each window: one in 200 others or fewer is not told apart.
constexpr std::size_t kFewWindowWords = std::size_t{1} << 10;

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
  tags_.resize((most() + most() / 2) / kBucket + 1);
  entries_.resize(kBucket * tags_.size());
  window_words_.resize(std::max(std::bit_ceil(capacity / 2), kFewWindowWords));
  windows_ = {.words = window_words_.data(),
              .shift = static_cast<unsigned>(32 - std::countr_zero(window_words_.size()))};
}

unsigned LengthClass::RarityAt(std::string_view head, std::size_t gram) const noexcept {
  unsigned rarity = 0;
  for (std::size_t i = 0; i < shape_.gram_size; ++i) rarity += kRarity[ByteAt(head, gram + i)];
  return rarity;
}

unsigned LengthClass::RareEnough() const noexcept { return kRareEnough * shape_.gram_size; }

// A window is met as often as the gram of it that is met most. Of equal ones the last is best.
// Returns them in `room`.
std::span<std::uint16_t> LengthClass::RateWindows(std::string_view head,
                                                  Ratings& room) const noexcept {
  std::array<std::uint8_t, kShortLength> of_grams;
  unsigned rarity = RarityAt(head, 0);
  for (std::size_t place = 0;; ++place) {
    of_grams[place] = static_cast<std::uint8_t>(std::min(rarity, RareEnough()));
    if (place + shape_.gram_size == head.size()) break;
    rarity += kRarity[ByteAt(head, place + shape_.gram_size)] - kRarity[ByteAt(head, place)];
  }
  const std::size_t count = head.size() - shape_.window + 1;
  for (std::size_t place = 0; place < count; ++place) {
    const bool has_pairs = HasPairs(head, place);
    std::uint8_t least = of_grams[place];
    for (std::size_t i = 1; i < shape_.stride; ++i) {
      least = std::min(least, of_grams[place + i * (has_pairs ? kPair : 1)]);
    }
    const unsigned rating = least + (has_pairs ? kDistinct : 0);
    room[place] = static_cast<std::uint16_t>(rating << 8 | place);
  }
  return std::span(room).first(count);
}

std::uint8_t LengthClass::FirstChoice(std::string_view head) const noexcept {
  // Most have one that is rare enough, near the end.
  std::size_t rare = 0;  // grams in a row
  std::size_t place = head.size() - shape_.gram_size;
  for (unsigned rarity = RarityAt(head, place);; --place) {
    rare = rarity >= RareEnough() ? rare + 1 : 0;
    if (rare >= shape_.stride && !MayHavePairs(head.data() + place)) {
      return static_cast<std::uint8_t>(place);
    }
    if (rare >= shape_.stride || place == 0) break;
    rarity += kRarity[ByteAt(head, place - 1)];
    rarity -= kRarity[ByteAt(head, place - 1 + shape_.gram_size)];
  }
  Ratings room;
  return PlaceOfRated(std::ranges::max(RateWindows(head, room)));
}

std::uint8_t LengthClass::Prepare(std::string_view head) const noexcept {
  const std::uint8_t place = FirstChoice(head);
  const std::uint64_t window = WindowIn(head, place);
  const std::size_t bucket = BucketOf(window);
  const Place in_filter = InFilterOf(window);
  __builtin_prefetch(window_words_.data() + in_filter.word, 1);
  __builtin_prefetch(tags_.data() + bucket, 1);
  __builtin_prefetch(entries_.data() + kBucket * bucket, 1);
  ForEachGram(head, place, [&](std::string_view gram) {
    __builtin_prefetch(words_.data() + PlaceOf(GramAt(gram.data()), plan_.shift).word, 1);
  });
  return place;
}

std::uint64_t LengthClass::WindowIn(std::string_view head, std::size_t place) const noexcept {
  const char* const bytes = head.data() + place;
  return HasPairs(head, place) ? WindowOfPairs(bytes) : LoadWord(bytes, shape_.window);
}

// Whether the window at `place` is one of pairs.
bool LengthClass::HasPairs(std::string_view head, std::size_t place) const noexcept {
  if (!is_of_longest() || head.size() - place < kPairsBytes) return false;
  const char* const window = head.data() + place;
  if (!IsOfPairs(window)) return false;
  for (std::size_t i = 2 * kPair; i < kPairsBytes; i += kPair) {
    if (window[i] != window[0]) return false;
  }
  return true;
}

// Where few others are alike, and near.
std::optional<LengthClass::Spot> LengthClass::NearSpot(std::string_view head,
                                                       std::uint8_t place) const noexcept {
  const std::uint64_t window = WindowIn(head, place);
  std::size_t bucket = BucketOf(window);
  std::size_t alike = 0;
  for (std::size_t walked = 0; walked < kNear; ++walked, bucket = Next(bucket)) {
    const std::uint64_t tags = TagsOf(bucket);
    for (std::uint64_t same = Where(tags, TagOf(window)); same != 0; same &= same - 1) ++alike;
    if (alike > kFewAlike) break;
    if (const std::uint64_t free = Where(tags, kFree)) {
      return Spot{.slot = kBucket * bucket + SlotOf(free), .place = place, .window = window};
    }
  }
  return std::nullopt;
}

// However far it is, and many are alike.
LengthClass::Spot LengthClass::FarSpot(std::string_view head, std::uint8_t place) const noexcept {
  const std::uint64_t window = WindowIn(head, place);
  std::size_t bucket = BucketOf(window);
  while (Where(TagsOf(bucket), kFree) == 0) bucket = Next(bucket);
  return {.slot = kBucket * bucket + SlotOf(Where(TagsOf(bucket), kFree)),
          .place = place,
          .window = window};
}

// Marks an entry that is found where this window is looked for, and has its place.
bool LengthClass::Join(std::string_view head, std::uint8_t place) noexcept {
  const std::uint64_t window = WindowIn(head, place);
  std::size_t bucket = BucketOf(window);
  for (std::size_t walked = 0; walked < kNear; ++walked, bucket = Next(bucket)) {
    const std::uint64_t tags = TagsOf(bucket);
    for (std::size_t i = 0; i < kBucket; ++i) {
      if ((tags >> 16 * i & 0xFFFF) != TagOf(window)) continue;
      std::uint32_t& entry = entries_[kBucket * bucket + i];
      if (Unpacked(entry).place != place) continue;
      entry |= kOfCrowd;
      LetPass(head, place, window);
      return true;
    }
    if (Where(tags, kFree) != 0) break;
  }
  return false;
}

void LengthClass::Enter(PatternId id, std::string_view head, const Spot& spot) noexcept {
  entries_[spot.slot] = id * kPatternFactor + spot.place;
  std::uint64_t& tags = tags_[spot.slot / kBucket];
  __atomic_store_n(&tags, tags | TagOf(spot.window) << 16 * (spot.slot % kBucket),
                   __ATOMIC_RELEASE);
  LetPass(head, spot.place, spot.window);
}

void LengthClass::LetPass(std::string_view head, std::size_t place, std::uint64_t window) noexcept {
  const Place in_filter = InFilterOf(window);
  SetBits(window_words_[in_filter.word], in_filter.bits);
  ForEachGram(head, place, [&](std::string_view gram) {
    AddToFilter(GramAt(gram.data()));
    AddToFew(gram);
  });
}

// Calls `take` with the grams of the window at `place`.
template <typename Take>
void LengthClass::ForEachGram(std::string_view head, std::size_t place, Take take) const {
  const std::size_t apart = HasPairs(head, place) ? kPair : 1;
  for (std::size_t i = 0; i < shape_.stride; ++i) {
    take(head.substr(place + i * apart, shape_.gram_size));
  }
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

bool LengthClass::Insert(PatternId id, std::string_view head, std::uint8_t first_choice,
                         IfCrowded if_crowded) noexcept {
  ++size_;
  const auto enter_near = [&](std::uint8_t place) {
    const auto spot = NearSpot(head, place);
    if (spot) Enter(id, head, *spot);
    return spot.has_value();
  };
  if (enter_near(first_choice)) return false;
  Ratings room;
  const std::span<std::uint16_t> best_first = RateWindows(head, room);
  std::ranges::sort(best_first, std::greater());
  if (std::ranges::any_of(best_first, enter_near, PlaceOfRated)) return false;
  const auto join = [&](std::uint8_t place) { return Join(head, place); };
  if (if_crowded == IfCrowded::kJoin && std::ranges::any_of(best_first, join, PlaceOfRated)) {
    return true;
  }
  Enter(id, head, FarSpot(head, first_choice));
  if (if_crowded == IfCrowded::kEnter) ++crowded_;
  return false;
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
