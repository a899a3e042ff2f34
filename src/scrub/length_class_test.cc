#include "scrub/length_class.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using Found = std::vector<std::pair<PatternId, std::size_t>>;

// The patterns whose window has a gram there, and the places in them of the window.
Found FoundAt(const LengthClass& length_class, const std::string& text, std::size_t gram) {
  Found found;
  const std::uint16_t here = 0;
  length_class.ForEachAt(
      ActiveKernels(), text, gram, {&here, 1},
      [&](std::size_t, const auto& entry) { found.emplace_back(entry.pattern, entry.place); });
  return found;
}

TEST(LengthClass, LeadsFromEachGramOfAWindowToThePattern) {
  LengthClass length_class(kClassShapes.back(), 24);
  const std::string pattern = "the-Key-XQ!ZW-is-here";
  length_class.Insert(7, pattern, LengthClass::IfCrowded::kEnter);
  // By hand: `-is-h` is common, so the last window all of whose grams are rare is `Q!ZW-is-`.
  for (std::size_t gram = 0; gram + 5 <= pattern.size(); ++gram) {
    const bool is_in_window = gram >= 9 && gram < 13;
    EXPECT_EQ(FoundAt(length_class, pattern, gram), is_in_window ? (Found{{7, 9}}) : Found())
        << gram;
  }
}

// Of what is common throughout, the least so.
TEST(LengthClass, TakesTheRarestWindowWhereNoneIsRare) {
  LengthClass length_class(kClassShapes.back(), 24);
  const std::string pattern = "0000000055555555e=1200000000";
  length_class.Insert(7, pattern, LengthClass::IfCrowded::kEnter);
  // By hand: digits from 3 on are less common than the others, and `e` is no more than they are.
  EXPECT_EQ(FoundAt(length_class, pattern, 9), (Found{{7, 9}}));
  EXPECT_EQ(FoundAt(length_class, pattern, 12), (Found{{7, 9}}));
  EXPECT_TRUE(FoundAt(length_class, pattern, 8).empty());
  EXPECT_TRUE(FoundAt(length_class, pattern, 13).empty());
}

TEST(LengthClass, TellsPatternsApartByAllOfAWindow) {
  LengthClass length_class(kClassShapes.back(), 24);
  length_class.Insert(1, "XQZJabcd", LengthClass::IfCrowded::kEnter);
  length_class.Insert(2, "XQZJdefg", LengthClass::IfCrowded::kEnter);
  EXPECT_EQ(FoundAt(length_class, "--XQZJabcd--", 2), (Found{{1, 0}}));
  EXPECT_EQ(FoundAt(length_class, "--XQZJdefg--", 2), (Found{{2, 0}}));
  EXPECT_TRUE(FoundAt(length_class, "--XQZJxyzw--", 2).empty());
}

TEST(LengthClass, TellsBytesInPercentEncodingAndWithColonsApartByMoreOfThem) {
  LengthClass length_class(kClassShapes.back(), 24);
  // Two of a kind differ in nothing but the tenth byte of their windows, which are of sixteen.
  const std::vector<std::string> patterns = {"%61%fb%63%64%65%66", "%61%fb%63%74%65%66",
                                             "61:fb:63:64:65:66:67", "61:fb:63:74:65:66:67"};
  for (PatternId id = 0; id < patterns.size(); ++id) {
    length_class.Insert(id, patterns[id], LengthClass::IfCrowded::kEnter);
  }
  for (PatternId id = 0; id < patterns.size(); ++id) {
    const std::size_t place = patterns[id].find_first_of("%:");
    for (std::size_t gram = place; gram < place + 12; gram += 3) {
      EXPECT_EQ(FoundAt(length_class, patterns[id], gram), (Found{{id, place}})) << patterns[id];
    }
  }
}

// Whichever byte of them it is.
TEST(LengthClass, HasRoomForPatternsThatDifferInOneByteOrTwo) {
  for (const std::string one :
       {"00000?", "0000?0", "000??0", "pin??", "ab??", "key??Z", "000??000"}) {
    LengthClass length_class(kClassShapes[ClassOf(one.size())], 100);
    const bool has_two = one.find("??") != std::string::npos;
    const int count = has_two ? 100 : 26;
    for (int i = 0; i < count; ++i) {
      std::string pattern = one;
      const std::size_t at = pattern.find('?');
      pattern[at] = static_cast<char>(has_two ? '0' + i / 10 : 'a' + i);
      if (has_two) pattern[at + 1] = static_cast<char>('0' + i % 10);
      length_class.Insert(static_cast<PatternId>(i), pattern, LengthClass::IfCrowded::kEnter);
    }
    EXPECT_LT(length_class.crowded(), 10u) << one;
  }
}

TEST(LengthClass, TakesAnotherWindowWhereManyPatternsHaveOne) {
  LengthClass length_class(kClassShapes.back(), 100);
  const std::string common = "XQZJXQZJ";  // rarer than what follows
  const auto pattern = [&](PatternId id) {
    return common + "abcd" + std::string(4, static_cast<char>('a' + id % 26)) +
           std::string(4, static_cast<char>('a' + id / 26));
  };
  for (PatternId id = 0; id < 100; ++id)
    length_class.Insert(id, pattern(id), LengthClass::IfCrowded::kEnter);
  const std::string text = pattern(99);
  Found found;
  for (std::size_t place = 0; place + 5 <= text.size(); place += 4) {
    const Found here = FoundAt(length_class, text, place);
    EXPECT_LT(here.size(), 50U);  // not all of them
    found.insert(found.end(), here.begin(), here.end());
  }
  const auto is_the_last = [](const auto& one) { return one.first == 99; };
  EXPECT_EQ(std::ranges::count_if(found, is_the_last), 1);
}

TEST(LengthClass, LetsThoseJoinThatHaveNothingButCommonWindows) {
  LengthClass length_class(kClassShapes.back(), 1000);
  const std::string same = "the-Key-XQ!ZW-is-here";
  std::size_t joined = 0;
  for (PatternId id = 0; id < 1000; ++id) {
    joined += length_class.Insert(id, same, LengthClass::IfCrowded::kJoin) ? 1U : 0U;
  }
  EXPECT_GT(joined, 900U);
  bool leads_to_the_crowd = false;
  for (std::uint16_t place = 0; place + 5U <= same.size(); place += 4) {
    std::size_t found = 0;
    length_class.ForEachAt(ActiveKernels(), same, 0, {&place, 1},
                           [&](std::size_t window, const auto& entry) {
                             ++found;
                             const bool is_where_it_says = entry.place == window;
                             leads_to_the_crowd |= entry.is_of_crowd && is_where_it_says;
                           });
    EXPECT_LE(found, 16U) << place;  // not all of them
  }
  EXPECT_TRUE(leads_to_the_crowd);
}

TEST(LengthClass, LooksAtManyPlacesAsAtEach) {
  LengthClass length_class(kClassShapes.back(), 24);
  const std::string pattern = "-XQZ!KJ-";
  length_class.Insert(1, pattern, LengthClass::IfCrowded::kEnter);
  const std::string before = "before";
  std::string text = before;
  std::vector<std::uint16_t> places;
  std::vector<std::size_t> expected;
  for (int i = 0; i < 160; ++i) {
    const bool has_it = i % 3 == 0;
    for (std::size_t at = 0; at < 4; ++at) {
      places.push_back(static_cast<std::uint16_t>(text.size() - before.size() + at));
      if (has_it) {
        EXPECT_EQ(FoundAt(length_class, pattern, at), (Found{{1, 0}}));
        expected.push_back(text.size());  // of the window
      }
    }
    text += has_it ? pattern : "XQZ!elsewhere---";
  }
  std::vector<std::size_t> found;
  length_class.ForEachAt(ActiveKernels(), text, before.size(), places,
                         [&](std::size_t place, const auto&) { found.push_back(place); });
  std::ranges::sort(found);
  EXPECT_EQ(found, expected);
}

TEST(LengthClass, HasRoomForAsManyPatternsAsItSays) {
  for (const ClassShape& shape : kClassShapes) {
    LengthClass length_class(shape, 100);
    const std::string same = std::string("-Zkq!9xW").substr(0, shape.window);
    for (PatternId id = 0; id < 100; ++id)
      length_class.Insert(id, same, LengthClass::IfCrowded::kEnter);
    EXPECT_EQ(FoundAt(length_class, same, 0).size(), 100U);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
