#include "scrub/prefix_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "scrub/pattern_index.h"

namespace qarion::secrets::scrub {
namespace {

class PrefixLookupTest : public testing::Test {
 protected:
  std::vector<PatternId> Added(const std::vector<std::string>& texts) {
    std::vector<PatternId> ids;
    for (const std::string& text : texts) ids.push_back(store_.Add({.text = text}, owner_));
    return ids;
  }
  // Those that are told of and that the text begins with, or which begin with it.
  std::vector<std::string> Found(const PrefixLookup& lookup, std::string_view text) const {
    std::vector<std::string> found;
    lookup.ForEachAt(text, [&](PatternId id) {
      const std::string_view pattern = store_[id].view();
      if (text.starts_with(pattern) || pattern.starts_with(text)) found.emplace_back(pattern);
    });
    std::ranges::sort(found);
    return found;
  }

  PatternStore store_;
  const OwnerId owner_ = store_.NewOwner("value");
};

TEST_F(PrefixLookupTest, FindsWhatATextBeginsWithAndWhatBeginsWithIt) {
  const std::vector<std::string> texts = {"b",      "abcdefghijk", "abcdefgh", "abc",
                                          "abd",    "abcde",       "abcdez",   "ab\x80",
                                          "ab\x7f", "abcdefghijkl"};
  const PrefixLookup lookup(store_, Added(texts));
  for (const std::string& longest : texts) {
    for (const std::string_view end : {"", "a", "z", "\xff", "hijklmnop"}) {
      for (std::size_t size = 1; size <= longest.size(); ++size) {
        const std::string text = longest.substr(0, size).append(end);
        std::vector<std::string> expected;
        for (const std::string& one : texts) {
          if (text.starts_with(one) || one.starts_with(text)) expected.push_back(one);
        }
        std::ranges::sort(expected);
        EXPECT_EQ(Found(lookup, text), expected) << text;
      }
    }
  }
}

TEST_F(PrefixLookupTest, TellsOfEachOfEqualOnes) {
  const PrefixLookup lookup(store_, Added({"same", "same", "sa", "sand", "same"}));
  EXPECT_EQ(Found(lookup, "same as"), (std::vector<std::string>{"sa", "same", "same", "same"}));
}

}  // namespace
}  // namespace qarion::secrets::scrub
