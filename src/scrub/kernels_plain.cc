#include "scrub/kernels_inline.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {
namespace {

// Whether it is the same characters as those of patterns.
constexpr bool kKnowsBase64 = [] {
  for (unsigned c = 0; c < 256; ++c) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsBase64Character(byte) != (Base64Value(byte) >= 0)) return false;
  }
  return true;
}();
static_assert(kKnowsBase64);

std::size_t Probe(const char* text, std::size_t size, std::size_t count, const ProbePlan& plan,
                  std::uint16_t* hits) {
  return ProbeSingly(text, size, count, plan, 0, plan.stride, hits);
}

std::size_t FindWindows(const char* text, const std::uint16_t* places, std::size_t count,
                        const WindowFilter& filter, WindowHit* hits) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    unsigned before = 0;
    for (unsigned back = 0; back < kWindowGrams; ++back) {
      const char* const window = text + places[i] - back;
      const std::uint64_t last = LoadFour(window + kWindowBytes - kLaneBytes);
      const bool is_in = IsInFilter(filter, FoldedWindow(LoadFour(window) | last << 32));
      before |= unsigned{is_in} << back;
    }
    hits[found] = {.place = places[i], .before = static_cast<std::uint16_t>(before)};
    found += before != 0 ? 1 : 0;
  }
  return found;
}

std::size_t FindLineEnds(const char* text, std::size_t from, std::size_t end, RunBits* /*run_bits*/,
                         std::uint16_t* breaks) {
  const auto is_in = [](char c) { return static_cast<signed char>(c) > kBelowRun; };
  const auto may_end_run = [&](std::size_t place) {
    std::size_t count = 1;
    while (count < kRunBytes && count < place && is_in(text[place - 1 - count])) ++count;
    return place < kRunBytes || count == kRunBytes;
  };
  const std::size_t found = FindBreaksSingly(text, from, end, from, breaks);
  std::size_t count = 0;
  for (std::size_t i = 0; i < found; ++i) {
    if (may_end_run(from + breaks[i])) breaks[count++] = breaks[i];
  }
  return count;
}

std::size_t CountBase64(const char* text, std::size_t size) {
  return CountBase64Singly(text, size);
}

std::size_t CountRepeated(const char* text, std::size_t size, std::size_t period) {
  std::size_t same = 0;
  while (same + 4 <= size && LoadFour(text + same) == LoadFour(text + same - period)) same += 4;
  return CountRepeatedSingly(text, size, period, same);
}

}  // namespace

const Kernels kPlainKernels = {.name = "plain",
                               .probe = &Probe,
                               .find_windows = &FindWindows,
                               .find_line_ends = &FindLineEnds,
                               .count_base64 = &CountBase64,
                               .count_repeated = &CountRepeated};

}  // namespace qarion::secrets::scrub
