#include "scrub/length_class.h"

#include <algorithm>
#include <bit>

#include "scrub/bytes.h"

namespace qarion::secrets::scrub {
namespace {

// At most one bit in 8 is set when the class is full, so one probe in 64 or fewer hits by chance;
// far fewer where the filter is small.
constexpr std::size_t kBitsPerGram = 16;
constexpr std::size_t kFewestWords = std::size_t{1} << 13;  // 32 KiB, a first-level cache
constexpr std::size_t kMostWords = std::size_t{1} << 19;    // 2 MiB

constexpr std::size_t kBitsPerKey = 16;
constexpr std::size_t kFewestKeyBits = 1024;

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
  const std::size_t key_bits = std::bit_ceil(std::max(capacity * kBitsPerKey, kFewestKeyBits));
  keys_.resize(key_bits / 32);
  key_shift_ = static_cast<unsigned>(64 - std::countr_zero(key_bits));
  const std::size_t slots = std::bit_ceil(capacity + capacity / 4);
  slot_shift_ = static_cast<unsigned>(64 - std::countr_zero(slots));
  slots_.resize(slots);
}

LengthClass::LengthClass(const LengthClass& smaller, std::size_t capacity)
    : LengthClass(smaller.shape_, capacity) {
  kinds_ = smaller.kinds_;
}

std::uint64_t LengthClass::HashOfWindow(const char* window) const noexcept {
  return HashOfKey(LoadWord(window + key_at(), key_bytes()));
}

void LengthClass::Insert(PatternId id, const char* window) noexcept {
  const std::uint64_t hash = HashOfWindow(window);
  std::size_t slot = hash >> slot_shift_;
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  __atomic_store_n(slots_.data() + slot, std::uint64_t{TagOf(hash)} << 32 | (std::uint64_t{id} + 1),
                   __ATOMIC_RELEASE);
  const std::uint64_t bit = hash >> key_shift_;
  SetBits(keys_[bit / 32], 1U << bit % 32);
  for (unsigned offset = 0; offset < shape_.stride; ++offset) {
    const char* const gram = window + offset;
    const Place place =
        PlaceOf(HashOf(BytesOf(LoadWord(gram, shape_.gram_size), shape_.gram_size)), plan_.shift);
    SetBits(words_[place.word], place.bits);
  }
  ++size_;
}

void LengthClass::AddKinds(const char* window) noexcept {
  for (unsigned offset = 0; offset < shape_.stride; ++offset) {
    kinds_.AddGram({window + offset, shape_.gram_size});
  }
}

std::size_t LengthClass::CountAlike(const char* window, std::size_t most) const noexcept {
  std::size_t count = 0;
  const std::uint64_t hash = HashOfWindow(window);
  for (std::size_t slot = hash >> slot_shift_; slots_[slot] != 0 && count < most;
       slot = (slot + 1) & (slots_.size() - 1)) {
    if (static_cast<std::uint32_t>(slots_[slot] >> 32) == TagOf(hash)) ++count;
  }
  return count;
}

}  // namespace qarion::secrets::scrub
