// A few patterns of six or seven bytes that need no search of their own.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "scrub/bytes.h"
#include "scrub/kernels.h"
#include "scrub/length_class.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {

// The filter of the longest class knows what each fourth place of a text has where one of these
// patterns stands (LengthClass::Carry); its hits lead to them.
class CarriedPatterns {
 public:
  static constexpr std::size_t kShortest = LengthClass::kShortestCarried;
  static constexpr std::size_t kLongest = LengthClass::kLongestCarried;
  static constexpr std::size_t kClass = ClassOf(kLongest);
  static_assert(kClass + 1 == ClassOf(kLongest + 1) && kLongest == kShortest + 1);
  static constexpr std::size_t kMost = 16;

  // There must be room.
  void Add(PatternId id, std::string_view text) noexcept {
    const auto own = static_cast<Patterns>(1U << size_);
    ids_[size_++] = id;
    for (std::size_t i = 0; i < text.size(); ++i) {
      with_[i][ByteAt(text, i)] |= own;
      places_[ByteAt(text, i)] |= static_cast<std::uint8_t>(1U << i);
    }
    if (text.size() == kShortest) short_ |= own;
  }

  // Calls `take` with the patterns that stand in the text, and the places where they begin: two
  // bytes before a hit at the most, or one behind it; or where they end with the text. The hits are
  // places behind `begin`.
  template <typename Take>
  void ForEachAt(std::string_view text, std::size_t begin, std::span<const std::uint16_t> hits,
                 Take take) const {
    const auto take_at = [&](std::size_t place) {
      for (Patterns there = PatternsAt(text, place); there != 0; there &= there - 1) {
        take(ids_[static_cast<std::size_t>(std::countr_zero(there))], place);
      }
    };
    for (const std::uint16_t hit : hits) {
      // The three bytes in the middle of the five are of the pattern, whatever it has of the
      // others. Two of them say enough.
      const std::size_t middle = begin + hit + 1;
      const unsigned first = places_[ByteAt(text, middle)];
      const unsigned second = places_[ByteAt(text, middle + 1)];
      for (unsigned at = first & second >> 1; at != 0; at &= at - 1) {
        const auto before = static_cast<std::size_t>(std::countr_zero(at));
        if (before <= middle) take_at(middle - before);
      }
    }
    // The last six bytes may be one without any five that are looked at in their middle.
    const bool is_end = text.size() <= begin + kBatchBytes;
    if (is_end && text.size() >= kShortest) take_at(text.size() - kShortest);
  }

 private:
  using Patterns = std::uint16_t;  // a bit for each

  Patterns PatternsAt(std::string_view text, std::size_t place) const noexcept {
    const std::size_t left = text.size() - place;
    if (left < kShortest) return 0;
    unsigned there = with_[0][ByteAt(text, place)] & with_[1][ByteAt(text, place + 1)];
    if (there == 0) return 0;
    for (std::size_t i = 2; i < kShortest; ++i) there &= with_[i][ByteAt(text, place + i)];
    const unsigned long_ones =
        left < kLongest ? 0 : with_[kShortest][ByteAt(text, place + kShortest)];
    return static_cast<Patterns>(there & (short_ | long_ones));
  }

  std::array<PatternId, kMost> ids_{};
  std::size_t size_ = 0;
  Patterns short_ = 0;                                      // those of kShortest bytes
  std::array<std::array<Patterns, 256>, kLongest> with_{};  // by place in them, and byte
  std::array<std::uint8_t, 256> places_{};  // bit i: whether the byte is the i-th of one
};

}  // namespace qarion::secrets::scrub
