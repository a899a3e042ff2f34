#include "scrub/length_class.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

using Found = std::vector<std::pair<PatternId, std::size_t>>;

Found FoundAt(const LengthClass& length_class, const std::string& text, std::size_t place) {
  Found found;
  length_class.ForEachAt(text, place, [&](PatternId id, std::size_t place_in_pattern) {
    found.emplace_back(id, place_in_pattern);
  });
  return found;
}

TEST(LengthClass, LeadsFromTheRarestGramAtEachRemainderToThePattern) {
  LengthClass length_class(kClassShapes.back(), 24);
  const std::string pattern = "the-Key-XQ!ZW-is-here";
  length_class.Insert(7, pattern);
  // By hand: of the places that leave 0, 1, 2 and 3 the ones with most capitals and rare signs.
  for (const std::size_t place : {8U, 9U, 10U, 7U}) {
    EXPECT_EQ(FoundAt(length_class, pattern, place), (Found{{7, place}})) << place;
  }
  EXPECT_TRUE(FoundAt(length_class, pattern, 0).empty());
}

TEST(LengthClass, TellsPatternsApartByWhatIsBesideAGram) {
  LengthClass length_class(kClassShapes.back(), 24);
  length_class.Insert(1, "XQZJabc");
  length_class.Insert(2, "XQZJdef");
  EXPECT_EQ(FoundAt(length_class, "--XQZJabc--", 2), (Found{{1, 0}}));
  EXPECT_EQ(FoundAt(length_class, "--XQZJdef--", 2), (Found{{2, 0}}));
  EXPECT_TRUE(FoundAt(length_class, "--XQZJxyz--", 2).empty());
}

TEST(LengthClass, TakesAnotherGramWhereManyPatternsHaveOne) {
  LengthClass length_class(kClassShapes.back(), 24);
  const std::string common = "XQZJXQZJ";
  for (PatternId id = 0; id < 20; ++id) {
    length_class.Insert(id, common + "abcd" + std::string(1, static_cast<char>('a' + id)) + "efg");
  }
  EXPECT_LT(FoundAt(length_class, common, 0).size() + FoundAt(length_class, common, 4).size(), 20U);
}

TEST(LengthClass, HasRoomForAsManyPatternsAsItSays) {
  for (const ClassShape& shape : kClassShapes) {
    LengthClass length_class(shape, 100);
    const std::string same = std::string("-Zkq!9x").substr(0, shape.shortest);
    for (PatternId id = 0; id < 100; ++id) length_class.Insert(id, same);
    EXPECT_EQ(FoundAt(length_class, same, 0).size(), 100U);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
