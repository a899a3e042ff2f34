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
  static bool Counts(std::string_view text, std::string_view pattern) {
    return text.starts_with(pattern) || (text.size() >= kShortLength && pattern.starts_with(text));
  }
  std::string TextOf(PatternId id) const {
    const Spelled spelled = store_[id].text();
    std::string text(spelled.size(), '\0');
    spelled.CopyTo(text.data());
    return text;
  }
  // Those that are told of and count.
  std::vector<std::string> Found(const PrefixLookup& lookup, std::string_view text) const {
    std::vector<std::string> found;
    lookup.ForEachAt(text, [&](PatternId id) {
      if (Counts(text, TextOf(id))) found.emplace_back(TextOf(id));
    });
    std::ranges::sort(found);
    return found;
  }

  PatternStore store_;
  const OwnerId owner_ = store_.NewOwner("value");
};

TEST_F(PrefixLookupTest, FindsWhatATextBeginsWithAndWhatBeginsWithAText) {
  std::vector<std::string> texts;
  for (const std::string& common : {std::string(), std::string(kShortLength - 3, 'h')}) {
    for (const char* const end : {"b", "abcdefghijk", "abcdefgh", "abc", "abd", "abcde", "abcdez",
                                  "ab\x80", "ab\x7f", "abcdefghijkl"}) {
      texts.push_back(common + end);
    }
  }
  const PrefixLookup lookup(store_, Added(texts));
  for (const std::string& longest : texts) {
    for (const std::string_view end : {"", "a", "z", "\xff", "hijklmnop"}) {
      for (std::size_t size = 1; size <= longest.size(); ++size) {
        const std::string text = longest.substr(0, size).append(end);
        std::vector<std::string> expected;
        for (const std::string& one : texts) {
          if (Counts(text, one)) expected.push_back(one);
        }
        std::ranges::sort(expected);
        EXPECT_EQ(Found(lookup, text), expected) << text;
      }
    }
  }
}

TEST_F(PrefixLookupTest, TellsNothingOfTheManyThatAShortTextBegins) {
  std::vector<std::string> texts;
  for (char c = 'a'; c <= 'z'; ++c) texts.push_back(std::string(80, 'h') + c);
  const PrefixLookup lookup(store_, Added(texts));
  std::size_t told = 0;
  const auto count = [&](PatternId) { ++told; };
  lookup.ForEachAt(std::string(kShortLength - 1, 'h'), count);
  EXPECT_EQ(told, 0u);
  lookup.ForEachAt(std::string(kShortLength, 'h'), count);
  EXPECT_EQ(told, texts.size());
}

TEST_F(PrefixLookupTest, TellsOfEachOfEqualOnes) {
  const PrefixLookup lookup(store_, Added({"same", "same", "sa", "sand", "same"}));
  EXPECT_EQ(Found(lookup, "same as"), (std::vector<std::string>{"sa", "same", "same", "same"}));
}

}  // namespace
}  // namespace qarion::secrets::scrub
