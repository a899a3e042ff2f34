#include "scrub/covered_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

namespace qarion::secrets::scrub {
namespace {

// What is left of a text when its ranges are taken from the front: `*` for what is covered.
std::string Drawn(CoveredRanges& ranges, std::size_t size) {
  std::string drawn(size, '.');
  std::size_t apart_from = 0;
  for (ranges.Settle(); !ranges.empty(); ranges.RemoveFront()) {
    const auto [begin, end] = ranges.front();
    EXPECT_LT(begin, end);
    EXPECT_TRUE(apart_from == 0 || begin > apart_from) << begin;  // not even touching
    drawn.replace(begin, end - begin, end - begin, '*');
    apart_from = end;
  }
  return drawn;
}

TEST(CoveredRanges, CoverWhatWasAddedInAnyOrder) {
  std::mt19937 generator(1);
  const auto between = [&](std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(generator);
  };
  for (int round = 0; round < 300; ++round) {
    const std::size_t size = between(1, 6000);
    const std::size_t longest = between(1, 20);
    CoveredRanges ranges;
    std::string expected(size, '.');
    std::size_t passed = 0;  // ranges that have been taken end there
    for (std::size_t i = between(0, size); i > 0; --i) {
      const std::size_t begin = between(0, size - 1);
      const std::size_t end = std::min(size, begin + between(1, longest));
      if (begin <= passed && passed != 0) continue;
      ranges.Add({.begin = begin, .end = end});
      expected.replace(begin, end - begin, end - begin, '*');
      if (between(0, 50) != 0) continue;
      ranges.Settle();
      if (between(0, 3) != 0) continue;
      passed = ranges.front().end;
      expected.replace(ranges.front().begin, passed - ranges.front().begin,
                       passed - ranges.front().begin, '.');
      ranges.RemoveFront();
    }
    ASSERT_EQ(Drawn(ranges, size), expected);
  }
}

TEST(CoveredRanges, AreOneWhereTheyTouch) {
  CoveredRanges ranges;
  ranges.Add({.begin = 7, .end = 9});
  ranges.Add({.begin = 2, .end = 4});
  ranges.Add({.begin = 4, .end = 7});
  ranges.Settle();
  EXPECT_EQ(ranges.front().begin, 2U);
  EXPECT_EQ(ranges.front().end, 9U);
  ranges.RemoveFront();
  EXPECT_TRUE(ranges.empty());
}

}  // namespace
}  // namespace qarion::secrets::scrub
