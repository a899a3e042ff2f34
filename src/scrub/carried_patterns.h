// A few patterns of five or six bytes that need no search of their own.
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
  static constexpr std::size_t kClass = ClassOf(LengthClass::kLongestCarried);
  static constexpr std::size_t kMost = 16;

  // There must be room.
  void Add(PatternId id, std::string_view text) noexcept {
    ids_[size_++] = id;
    for (std::size_t i = 0; i < text.size(); ++i) {
      places_[ByteAt(text, i)] |= static_cast<std::uint8_t>(1U << i);
    }
  }

  // Calls `take` with patterns and the places in the text where they may begin, which begin before
  // the hits, end behind them, or stand at the end of the text. The hits are places behind `begin`.
  template <typename Take>
  void ForEachAt(std::string_view text, std::size_t begin, std::span<const std::uint16_t> hits,
                 Take take) const {
    const auto all_at = [&](std::size_t place) {
      for (std::size_t i = 0; i < size_; ++i) take(ids_[i], place);
    };
    for (const std::uint16_t hit : hits) {
      // The two bytes in the middle of the four are of the pattern, whatever it has of the others.
      const std::size_t middle = begin + hit + 1;
      for (unsigned at = PlacesOf(text, middle); at != 0; at &= at - 1) {
        const auto before = static_cast<std::size_t>(std::countr_zero(at));
        if (before <= middle) all_at(middle - before);
      }
    }
    // Of the last five bytes none but the first may begin four that are looked at.
    constexpr std::size_t kShortest = LengthClass::kShortestCarried;
    if (text.size() < kShortest || text.size() > begin + kBatchBytes) return;
    const std::size_t last = text.size() - kShortest;
    if ((PlacesOf(text, last) & 1) != 0) all_at(last);
  }

 private:
  // Bit i: whether the byte at `place` and the one behind it may be the i-th and the next.
  unsigned PlacesOf(std::string_view text, std::size_t place) const noexcept {
    return places_[ByteAt(text, place)] & places_[ByteAt(text, place + 1)] >> 1;
  }

  std::array<PatternId, kMost> ids_{};
  std::size_t size_ = 0;
  std::array<std::uint8_t, 256> places_{};  // bit i: whether the byte is the i-th of one
};

}  // namespace qarion::secrets::scrub
