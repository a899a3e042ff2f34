#include "scrub/gram_filter.h"

#include <algorithm>
#include <bit>

#include "scrub/bytes.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kLargestWindow = 16;
constexpr std::size_t kLargestGram = 6;
constexpr std::size_t kSmallestGram = 3;

// Up to one bit in 16 is set, so one probe in 256 or less hits by chance.
constexpr std::size_t kBitsPerGram = 32;
constexpr std::size_t kFewestWords = std::size_t{1} << 6;
constexpr std::size_t kMostFilterWords = std::size_t{1} << 17;  // 1 MiB, about an L2 cache

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

}  // namespace

GramFilter::GramFilter(std::span<const std::string_view> patterns) {
  std::size_t window = kLargestWindow;
  for (const std::string_view pattern : patterns) window = std::min(window, pattern.size());
  gram_size_ = std::clamp(window / 2, std::min(window, kSmallestGram), kLargestGram);
  stride_ = window - gram_size_ + 1;
  gram_mask_ = ~std::uint64_t{0} >> (8 * (kWordBytes - gram_size_));

  const std::size_t grams = patterns.size() * stride_;
  const std::size_t words =
      std::clamp(std::bit_ceil(grams * kBitsPerGram / 64), kFewestWords, kMostFilterWords);
  shift_ = static_cast<unsigned>(64 - std::countr_zero(words));
  words_.resize(words);
  for (const std::string_view pattern : patterns) {
    for (std::size_t offset = 0; offset < stride_; ++offset) {
      const Place place = PlaceOf(LoadWord(pattern.data() + offset, gram_size_));
      words_[place.word] |= place.bits;
    }
  }
}

inline GramFilter::Place GramFilter::PlaceOf(std::uint64_t eight_bytes) const noexcept {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  const std::uint64_t hash = (eight_bytes & gram_mask_) * kMultiplier;
  return {.word = hash >> shift_,
          .bits = std::uint64_t{1} << (hash >> 20 & 63) | std::uint64_t{1} << (hash >> 26 & 63)};
}

inline bool GramFilter::Has(std::uint64_t eight_bytes) const noexcept {
  const Place place = PlaceOf(eight_bytes);
  return (~words_.data()[place.word] & place.bits) == 0;
}

std::size_t GramFilter::FirstCandidate(std::string_view text, std::size_t position) const noexcept {
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  // Invariant: no pattern begins before `position`; the next gram to look at ends its stride.
  const std::size_t reach = stride_ - 1;
  if (size >= reach + 3 * stride_ + kWordBytes) {
    const std::size_t last = size - (reach + 3 * stride_ + kWordBytes);
    while (position <= last) {
      const char* const gram = bytes + position + reach;
      // One branch for four probes.
      const int hits = int{Has(LoadWord(gram))} | int{Has(LoadWord(gram + stride_))} |
                       int{Has(LoadWord(gram + 2 * stride_))} |
                       int{Has(LoadWord(gram + 3 * stride_))};
      if (hits != 0) break;
      position += 4 * stride_;
    }
  }
  for (; position + reach + gram_size_ <= size; position += stride_) {
    const std::size_t gram = position + reach;
    if (Has(LoadWord(bytes + gram, std::min(kWordBytes, size - gram)))) break;
  }
  return position;
}

}  // namespace qarion::secrets::scrub
