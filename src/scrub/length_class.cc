#include "scrub/length_class.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qarion::secrets::scrub {
namespace {

// One bit in 16 is set when the class is full, so one probe in 256 hits by chance.
constexpr std::size_t kBitsPerGram = 32;
constexpr std::size_t kFewestWords = std::size_t{1} << 10;
constexpr std::size_t kMostWords = std::size_t{1} << 19;  // 2 MiB

constexpr std::size_t kKeyBytes = 8;

std::uint64_t MaskOf(std::size_t bytes) noexcept {
  return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * bytes) - 1;
}

std::uint64_t Load(const char* bytes, std::size_t count) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

LengthClass::LengthClass(const ClassShape& shape, std::size_t capacity)
    : shape_(shape),
      capacity_(capacity),
      key_mask_(MaskOf(std::min<std::size_t>(shape.window, kKeyBytes))) {
  const std::size_t words = std::clamp(std::bit_ceil(capacity * shape.stride * kBitsPerGram / 32),
                                       kFewestWords, kMostWords);
  words_.resize(words);
  plan_ = {.words = words_.data(),
           .shift = static_cast<unsigned>(32 - std::countr_zero(words)),
           .gram_size = shape.gram_size,
           .stride = shape.stride};
  const std::size_t slots = std::bit_ceil(capacity + capacity / 2 + 1);
  slot_shift_ = static_cast<unsigned>(64 - std::countr_zero(slots));
  slots_.resize(slots);
}

void LengthClass::Insert(PatternId id, const char* window) noexcept {
  const std::uint64_t hash =
      HashOfKey(Load(window, std::min<std::size_t>(shape_.window, kKeyBytes)));
  std::size_t slot = hash >> slot_shift_;
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  __atomic_store_n(slots_.data() + slot, std::uint64_t{TagOf(hash)} << 32 | (std::uint64_t{id} + 1),
                   __ATOMIC_RELEASE);
  for (unsigned offset = 0; offset < shape_.stride; ++offset) {
    const Place place = PlaceOf(
        HashOf(BytesOf(Load(window + offset, shape_.gram_size), shape_.gram_size)), plan_.shift);
    __atomic_fetch_or(words_.data() + place.word, place.bits, __ATOMIC_RELAXED);
  }
  ++size_;
}

std::size_t LengthClass::CountAlike(const char* window, std::size_t most) const noexcept {
  std::size_t count = 0;
  const std::uint64_t hash =
      HashOfKey(Load(window, std::min<std::size_t>(shape_.window, kKeyBytes)));
  for (std::size_t slot = hash >> slot_shift_; slots_[slot] != 0 && count < most;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (static_cast<std::uint32_t>(slots_[slot] >> 32) == TagOf(hash)) ++count;
  }
  return count;
}

}  // namespace qarion::secrets::scrub
