#include "scrub/pattern_index.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>

namespace qarion::secrets::scrub {
namespace {

// Grams that are where many others are make looking for all of them slower.
TEST(PatternIndex, KeepsFewGramsFarAwayHoweverValuesWithOneBeginningArrive) {
  PatternIndex index;
  const OwnerId owner = index.NewOwner("value");
  const auto add = [&](const std::string& text) { index.Insert({.text = text}, owner); };
  for (std::size_t i = 1; i <= 3000; ++i) add(std::to_string(i * 2654435761U) + "-base");
  index.View();
  add("one more, for which there is a larger table");
  index.View();
  std::string common;
  for (char c = '!'; c < 'q'; ++c) common += c;
  for (std::size_t i = 0; i < 500; ++i) add(common + std::to_string(i));
  index.View();  // as a batch
  for (std::size_t i = 500; i < 700; ++i) {
    add(common + std::to_string(i));
    const std::shared_ptr<const IndexView> view = index.View();
    const LengthClass& table = *view->classes.back();
    ASSERT_EQ(table.size(), 3001 + i + 1);
    ASSERT_LE(table.crowded(), 256 + table.size() / 16) << i;
    ASSERT_NE(table.crowd(), nullptr);
  }
}

}  // namespace
}  // namespace qarion::secrets::scrub
