#include "scrub/length_class.h"

#include <bit>

#include "scrub/rarity.h"

namespace qarion::secrets::scrub {
namespace {

// At most three bits in 16 are set when the class is full, so one probe in 150 or fewer hits by
// chance.
constexpr std::size_t kBitsPerGram = 16;
constexpr std::size_t kFewestWords = std::size_t{1} << 12;  // 16 KiB, half of a first-level cache
constexpr std::size_t kMostWords = std::size_t{1} << 19;    // 2 MiB

constexpr int kRareByte = 6;  // on average in a gram that few logs have

// Others may read the word meanwhile; nobody else writes it.
void SetBits(std::uint32_t& word, std::uint32_t bits) noexcept {
  __atomic_store_n(&word, __atomic_load_n(&word, __ATOMIC_RELAXED) | bits, __ATOMIC_RELAXED);
}

}  // namespace

LengthClass::LengthClass(const ClassShape& shape, std::size_t capacity)
    : shape_(shape), capacity_(capacity) {
  const std::size_t grams = capacity * shape.stride;
  const std::size_t fewest = std::min(std::bit_ceil(2 * grams), kFewestWords);
  const std::size_t words =
      std::clamp(std::bit_ceil(grams * kBitsPerGram / 32), fewest, kMostWords);
  words_.resize(words);
  plan_ = {.words = words_.data(),
           .shift = static_cast<unsigned>(32 - std::countr_zero(words)),
           .gram_size = shape.gram_size,
           .stride = shape.stride};
  buckets_ = (grams + grams / 4) / kBucket + 1;
  tags_.resize(kBucket * buckets_);
  entries_.resize(kBucket * buckets_);
}

LengthClass::Spot LengthClass::SpotOf(std::string_view head, std::size_t place) const noexcept {
  const std::uint32_t gram = GramAt(head.data() + place);
  const bool has_behind = place + shape_.gram_size + shape_.neighbours <= head.size();
  const std::size_t neighbours = has_behind ? place + shape_.gram_size : place - shape_.neighbours;
  const Tag tag = TagOf(gram, Neighbours(head.data() + neighbours));
  std::size_t alike = 0;
  for (std::size_t bucket = BucketOf(gram);; bucket = Next(bucket)) {
    const std::uint64_t tags = TagsOf(bucket);
    alike += static_cast<std::size_t>(std::popcount(Where(tags, tag)));
    if (const std::uint64_t free = Where(tags, kFree)) {
      return {.slot = kBucket * bucket + SlotOf(free), .alike = alike, .tag = tag};
    }
  }
}

void LengthClass::Insert(PatternId id, std::string_view head) noexcept {
  constexpr std::size_t kMostAlike = 8;
  std::array<std::uint16_t, kShortLength + 1> sums{};  // of the rarity of the bytes before
  for (std::size_t i = 0; i < head.size(); ++i) {
    sums[i + 1] = static_cast<std::uint16_t>(sums[i] + kRarity[ByteAt(head, i)]);
  }
  const auto rarity = [&](std::size_t place) {
    return sums[place + shape_.gram_size] - sums[place];
  };
  const std::size_t last = head.size() - shape_.gram_size;
  for (std::size_t first = 0; first < shape_.stride; ++first) {
    // Of equal ones the last: what has only the beginning of the pattern does not have it.
    std::size_t best = first;
    for (std::size_t place = first; place <= last; place += shape_.stride) {
      if (rarity(place) >= rarity(best)) best = place;
    }
    // Where none is rare, as in hexadecimal digits, the fewer there are, the less is found.
    if (rarity(best) < kRareByte * static_cast<int>(shape_.gram_size)) {
      for (std::size_t place = last - (last - first) % shape_.stride;; place -= shape_.stride) {
        if (IsInFilter(GramAt(head.data() + place))) {
          best = place;
          break;
        }
        if (place == first) break;
      }
    }
    Spot spot = SpotOf(head, best);
    // Of those that many patterns have, another may be free.
    for (std::size_t place = first; place <= last && spot.alike >= kMostAlike;
         place += shape_.stride) {
      const Spot other = SpotOf(head, place);
      if (other.alike >= spot.alike) continue;
      spot = other;
      best = place;
    }
    entries_[spot.slot] = id * std::uint32_t{kShortLength} + static_cast<std::uint32_t>(best);
    __atomic_store_n(tags_.data() + spot.slot, spot.tag, __ATOMIC_RELEASE);
    const Place place = PlaceOf(HashOf(GramAt(head.data() + best)), plan_.shift);
    SetBits(words_[place.word], place.bits);
    AddToFew(head.substr(best, shape_.gram_size));
  }
  ++size_;
}

bool LengthClass::IsInFilter(std::uint32_t gram) const noexcept {
  const Place place = PlaceOf(HashOf(gram), plan_.shift);
  return (~words_[place.word] & place.bits) == 0;
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
