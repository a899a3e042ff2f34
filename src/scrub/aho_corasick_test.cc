#include "scrub/aho_corasick.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// With a table of steps, and without one.
class AhoCorasickTest : public testing::TestWithParam<std::size_t> {
 public:
  static AhoCorasick MatcherFor(const std::vector<std::string_view>& patterns) {
    return AhoCorasick(patterns, GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Steps, AhoCorasickTest, testing::Values(AhoCorasick::kMostSteps, 0));

// (end, length) of each match.
std::vector<std::pair<std::size_t, std::size_t>> MatchesIn(const AhoCorasick& matcher,
                                                           std::string_view text,
                                                           MatchState& state) {
  std::vector<std::pair<std::size_t, std::size_t>> matches;
  std::array<Match, 64> room;
  const Scanned scanned = matcher.Scan(text, state, room);
  EXPECT_EQ(scanned.bytes, text.size());
  for (std::size_t i = 0; i < scanned.matches; ++i) {
    matches.emplace_back(room[i].end, room[i].length);
  }
  return matches;
}
std::vector<std::pair<std::size_t, std::size_t>> MatchesIn(const AhoCorasick& matcher,
                                                           std::string_view text) {
  MatchState state;
  return MatchesIn(matcher, text, state);
}

std::size_t PendingAfter(const AhoCorasick& matcher, std::string_view text) {
  MatchState state;
  MatchesIn(matcher, text, state);
  return state.pending;
}

TEST_P(AhoCorasickTest, FindsTheExampleOfThePaper) {
  // Aho and Corasick, "Efficient String Matching" (1975): he, she, his, hers in "ushers".
  const AhoCorasick matcher = MatcherFor({"he", "hers", "his", "she"});
  EXPECT_THAT(MatchesIn(matcher, "ushers"), ElementsAre(Pair(4, 3), Pair(6, 4)));
}

TEST_P(AhoCorasickTest, ReportsTheLongestMatchAtEachEnd) {
  const AhoCorasick matcher = MatcherFor({"bcd", "cd", "d", "xbcde"});
  EXPECT_THAT(MatchesIn(matcher, "xbcd"), ElementsAre(Pair(4, 3)));
}

TEST_P(AhoCorasickTest, FindsWhatBeginsWhereARepetitionEnds) {
  // 24 bytes repeat themselves at a distance of eight; the pattern begins in the last of them.
  const std::string text = "acaaabcaacaaabcaacaaabcacaa";
  const AhoCorasick matcher = MatcherFor({"acaaabcac", "bcabbbaacac"});
  EXPECT_THAT(MatchesIn(matcher, text), ElementsAre(Pair(text.find("acaaabcac") + 9, 9)));
}

TEST_P(AhoCorasickTest, FindsAMatchInsideAnUnfinishedPattern) {
  const AhoCorasick matcher = MatcherFor({"abcdef", "cd"});
  EXPECT_THAT(MatchesIn(matcher, "abcdx"), ElementsAre(Pair(4, 2)));
}

TEST_P(AhoCorasickTest, FindsAMatchAcrossTwoPieces) {
  const AhoCorasick matcher = MatcherFor({"secret"});
  MatchState state;
  EXPECT_THAT(MatchesIn(matcher, "a sec", state), IsEmpty());
  EXPECT_EQ(state.pending, 3u);
  EXPECT_THAT(MatchesIn(matcher, "ret b", state), ElementsAre(Pair(3, 6)));
  EXPECT_EQ(state.pending, 0u);
}

TEST_P(AhoCorasickTest, FindsBytesOfAllValues) {
  const std::string pattern("\x00\xff\x80\x00", 4);
  const AhoCorasick matcher = MatcherFor({pattern});
  EXPECT_THAT(MatchesIn(matcher, std::string("\x00\x00\xff\x80\x00", 5)), ElementsAre(Pair(5, 4)));
}

TEST_P(AhoCorasickTest, FollowsWhatHasNoBranchesThroughEveryBreakAndCut) {
  // One ends where they have no branches yet, one at the end of that, two go on.
  const std::string stem = "ab0123456789abcdefghijk";
  const std::vector<std::string> patterns = {"ab", stem, stem + "lmnopqrstuvwxyz", stem + "zyx"};
  const AhoCorasick matcher = MatcherFor({patterns.begin(), patterns.end()});
  for (const std::string& pattern : {patterns[2], patterns[3]}) {
    for (std::size_t broken = 0; broken <= pattern.size(); ++broken) {
      const std::string text = pattern.substr(0, broken) + "." + pattern + ".";
      std::vector<std::pair<std::size_t, std::size_t>> expected;
      for (std::size_t end = 1; end <= text.size(); ++end) {
        std::size_t longest = 0;
        for (const std::string& one : patterns) {
          if (text.substr(0, end).ends_with(one)) longest = std::max(longest, one.size());
        }
        if (longest != 0) expected.emplace_back(end, longest);
      }
      for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        MatchState state;
        auto matches = MatchesIn(matcher, text.substr(0, cut), state);
        for (const auto& [end, length] : MatchesIn(matcher, text.substr(cut), state)) {
          matches.emplace_back(cut + end, length);
        }
        EXPECT_EQ(matches, expected) << text << " cut at " << cut;
      }
    }
  }
}

TEST_P(AhoCorasickTest, KeepsTheLongestEndThatIsABeginning) {
  const AhoCorasick matcher = MatcherFor({"aab", "abcabd", "xy"});
  EXPECT_EQ(PendingAfter(matcher, "aaa"), 2u);
  EXPECT_EQ(PendingAfter(matcher, "abcab"), 5u);
  EXPECT_EQ(PendingAfter(matcher, "abcabca"), 4u);
  EXPECT_EQ(PendingAfter(matcher, "abcabdx"), 1u);
  EXPECT_EQ(PendingAfter(matcher, "abcabd."), 0u);
}

TEST_P(AhoCorasickTest, KeepsNothingOfACompletePatternThatNoOtherGoesOnFrom) {
  EXPECT_EQ(PendingAfter(MatcherFor({"abc"}), "abc"), 0u);
  EXPECT_EQ(PendingAfter(MatcherFor({"abc", "abcd"}), "abc"), 3u);
  EXPECT_EQ(PendingAfter(MatcherFor({"abca"}), "abca"), 1u);
  EXPECT_EQ(PendingAfter(MatcherFor({"abc", "xabc"}), "xabc"), 0u);
}

TEST_P(AhoCorasickTest, StopsWhereTheRoomEndsAndGoesOnFromThere) {
  const AhoCorasick matcher = MatcherFor({"a"});
  std::array<Match, 2> room;
  MatchState state;
  const Scanned first = matcher.Scan("xaxaxax", state, room);
  EXPECT_EQ(first.bytes, 4u);
  EXPECT_EQ(first.matches, 2u);
  const Scanned second = matcher.Scan("xax", state, room);
  EXPECT_EQ(second.bytes, 3u);
  EXPECT_EQ(second.matches, 1u);
}

// So many that the table of steps has a row for all of them, and so many that there is none.
TEST(AhoCorasick, FindsPatternsOfNearlyAllBytes) {
  for (const int bytes : {253, 254, 255, 256}) {
    std::string pattern;
    for (int i = 0; i < bytes; ++i) pattern += static_cast<char>(i);
    const std::string reversed(pattern.rbegin(), pattern.rend());
    std::vector<std::string_view> patterns = {pattern, reversed};
    std::sort(patterns.begin(), patterns.end());
    const AhoCorasick matcher(patterns, std::size_t{1} << 20);
    const auto size = static_cast<std::size_t>(bytes);
    EXPECT_THAT(MatchesIn(matcher, pattern + "\xff" + reversed),
                ElementsAre(Pair(size, size), Pair(2 * size + 1, size)));
    for (const char last : {'\0', '\xfe', '\xff'}) {
      std::string text = pattern;
      text.back() = last;
      if (text == pattern) continue;
      EXPECT_THAT(MatchesIn(matcher, text), IsEmpty());
    }
  }
}

// What repeats itself is passed over in whole periods, and none of what ends the repetition is
// lost.
TEST_P(AhoCorasickTest, FindsWhatEndsARepetitionOfAnyLength) {
  for (const std::string unit : {"a", "ab", "abc", "abaab", "abcdefghijk"}) {
    std::string pattern;
    while (pattern.size() < 100) pattern += unit;
    const std::string long_pattern = pattern + "Z";
    const std::string short_pattern = unit + unit + "Y";
    std::vector<std::string_view> patterns = {long_pattern, short_pattern};
    std::sort(patterns.begin(), patterns.end());
    const AhoCorasick matcher = MatcherFor(patterns);
    for (std::size_t size = 0; size < 300; ++size) {
      std::string text;
      while (text.size() < size) text += unit;
      text.resize(size);
      for (const char end : {'Z', 'Y', 'a'}) {
        const std::string whole = text + end;
        std::vector<std::pair<std::size_t, std::size_t>> expected;
        for (const std::string_view one : patterns) {
          if (whole.ends_with(one)) expected.emplace_back(whole.size(), one.size());
        }
        ASSERT_EQ(MatchesIn(matcher, whole), expected) << unit << " " << size << " " << end;
      }
    }
  }
}

TEST_P(AhoCorasickTest, FindsNothingWithoutPatterns) {
  EXPECT_THAT(MatchesIn(MatcherFor({}), "anything"), IsEmpty());
}

TEST_P(AhoCorasickTest, TakesAboutNineBytesPerPatternByte) {
  // 1,000 values of 40 bytes that share nothing but the beginning of their number.
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) {
    std::string value = std::to_string(100000 + i);
    value.append(40 - value.size(), static_cast<char>('a' + i % 26));
    values.push_back(std::move(value));
  }
  const AhoCorasick matcher(std::vector<std::string_view>(values.begin(), values.end()));
  EXPECT_LT(matcher.memory_bytes(), 12u * 40u * 1000u);
}

}  // namespace
}  // namespace qarion::secrets::scrub
