// What of a text is covered by masks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace qarion::secrets::scrub {

// Bytes from the beginning of a text.
using Offset = std::uint64_t;

// Ranges of a text, which are one where they overlap or touch.
//
// Thread-safety: one thread at a time.
class CoveredRanges {
 public:
  struct Range {
    Offset begin = 0;
    Offset end = 0;
  };

  // In any order.
  void Add(Range range) {
    const bool all_are_settled = settled_ == ranges_.size();
    const bool is_behind = empty() || range.begin > ranges_.back().end;
    if (!is_behind && range.end >= ranges_.back().begin &&
        (!all_are_settled || range.begin >= ranges_.back().begin)) {
      Range& last = ranges_.back();
      last = {.begin = std::min(last.begin, range.begin), .end = std::max(last.end, range.end)};
      return;
    }
    ranges_.push_back(range);
    if (all_are_settled && is_behind) ++settled_;
    if (ranges_.size() - settled_ > std::max(kFew, settled_)) Settle();
  }

  // Puts them in order and apart from each other, as front() needs them. Takes the time of sorting
  // those behind the first one that came out of order.
  void Settle() {
    if (passed_ > ranges_.size() / 2) {
      ranges_.erase(ranges_.begin(), At(passed_));
      settled_ -= std::exchange(passed_, 0);
    }
    if (settled_ == ranges_.size()) return;
    const auto added = At(settled_);
    const Offset begin = std::min_element(added, ranges_.end(), IsBefore)->begin;
    const auto first =
        std::partition_point(At(passed_), added, [&](const Range& one) { return one.end < begin; });
    std::sort(first, ranges_.end(), IsBefore);
    auto last = first;
    for (auto next = first + 1; next != ranges_.end(); ++next) {
      if (next->begin > last->end) {
        *++last = *next;
      } else {
        last->end = std::max(last->end, next->end);
      }
    }
    ranges_.erase(last + 1, ranges_.end());
    settled_ = ranges_.size();
  }

  bool empty() const noexcept { return passed_ == ranges_.size(); }
  const Range& front() const noexcept { return ranges_[passed_]; }
  void RemoveFront() noexcept {
    if (++passed_ == ranges_.size()) Clear();
  }
  void Clear() noexcept {
    ranges_.clear();
    passed_ = settled_ = 0;
  }

 private:
  static constexpr std::size_t kFew = 1024;

  static bool IsBefore(const Range& a, const Range& b) noexcept { return a.begin < b.begin; }
  std::vector<Range>::iterator At(std::size_t index) noexcept {
    return ranges_.begin() + static_cast<std::ptrdiff_t>(index);
  }

  std::vector<Range> ranges_;
  std::size_t passed_ = 0;   // so many at the beginning are removed
  std::size_t settled_ = 0;  // so many are in order and apart
};

}  // namespace qarion::secrets::scrub
