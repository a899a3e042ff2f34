#include "cli/line_positions.h"

#include <algorithm>

namespace qarion::secrets::cli {
namespace {

constexpr std::uint64_t kRemembered = std::uint64_t{8} << 20;

}  // namespace

void LinePositions::Add(std::string_view text) {
  Forget();
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    newlines_.push_back(size_ + at);
  }
  size_ += text.size();
}

LinePosition LinePositions::Of(std::uint64_t offset) const {
  const auto next = std::ranges::lower_bound(newlines_, offset);
  const auto before = static_cast<std::uint64_t>(next - newlines_.begin());
  const std::uint64_t begin = before == 0 ? line_begin_ : *std::prev(next) + 1;
  return {.line = lines_before_ + before + 1, .column = std::max(offset, begin) - begin + 1};
}

// Only where half of them can go, so that each is moved once.
void LinePositions::Forget() {
  if (newlines_.empty()) return;
  const std::size_t half = newlines_.size() / 2;
  if (newlines_[half] + kRemembered >= size_) return;
  lines_before_ += half + 1;
  line_begin_ = newlines_[half] + 1;
  newlines_.erase(newlines_.begin(), newlines_.begin() + static_cast<std::ptrdiff_t>(half) + 1);
}

}  // namespace qarion::secrets::cli
