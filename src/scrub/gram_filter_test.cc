#include "scrub/gram_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

GramFilter FilterFor(std::vector<std::string_view> patterns) { return GramFilter(patterns); }

TEST(GramFilter, SkipsTextThatSharesNoGramWithAPattern) {
  const GramFilter filter = FilterFor({"correct-horse-battery"});
  const std::string text(10000, '.');
  const std::size_t candidate = filter.FirstCandidate(text, 0);
  EXPECT_GT(candidate, text.size() - 20);
  EXPECT_LE(candidate, text.size());
}

TEST(GramFilter, NeverSkipsABeginning) {
  for (std::size_t length = 1; length <= 40; ++length) {
    const std::string pattern =
        std::string("0123456789abcdefghijklmnopqrstuvwxyzABCDEF").substr(0, length);
    const GramFilter filter = FilterFor({pattern});
    for (std::size_t before = 0; before <= 100; ++before) {
      for (const std::size_t after : {std::size_t{0}, std::size_t{1}, std::size_t{50}}) {
        const std::string text = std::string(before, '.') + pattern + std::string(after, '.');
        // Whatever it stops at, it must not go beyond.
        std::size_t position = 0;
        while ((position = filter.FirstCandidate(text, position)) < before) ++position;
        ASSERT_EQ(position, before) << "length " << length << ", after " << after;
      }
    }
  }
}

TEST(GramFilter, FindsNoLessForOnePatternThanForTheShortestAmongMany) {
  const GramFilter filter = FilterFor({"ab", "long-enough-for-a-wide-window"});
  EXPECT_EQ(filter.stride(), 1u);
  EXPECT_EQ(filter.FirstCandidate("....ab....................", 0), 4u);
}

TEST(GramFilter, LooksAtFewerPlacesWhereAllPatternsAreLong) {
  EXPECT_GT(FilterFor({"0123456789abcdef"}).stride(), FilterFor({"01234567"}).stride());
  EXPECT_GT(FilterFor({"01234567"}).stride(), FilterFor({"012"}).stride());
}

TEST(GramFilter, SkipsEverythingForNoPatterns) {
  EXPECT_GT(FilterFor({}).FirstCandidate(std::string(1000, 'a'), 0), 900u);
}

}  // namespace
}  // namespace qarion::secrets::scrub
