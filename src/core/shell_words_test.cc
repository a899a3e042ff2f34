#include "core/shell_words.h"

#include <gtest/gtest.h>

namespace qarion::secrets::core {
namespace {

using Words = std::vector<std::string>;

TEST(SplitWordsTest, ReadsQuotationsAndEscapes) {
  EXPECT_EQ(SplitWords(" a\tb\r\nc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(SplitWords(R"(a"b c"'d e'f)"), Words{"ab cd ef"});
  EXPECT_EQ(SplitWords(R"("" '' x)"), (Words{"", "", "x"}));
  EXPECT_EQ(SplitWords(R"(a\ b \" "\"\\\x" '\x')"), (Words{"a b", "\"", R"("\\x)", R"(\x)"}));
  EXPECT_EQ(SplitWords("a # $b | c"), (Words{"a", "#", "$b", "|", "c"}));
  EXPECT_EQ(SplitWords(""), Words{});
  EXPECT_EQ(SplitWords("a'"), std::nullopt);
  EXPECT_EQ(SplitWords("\"\\\""), std::nullopt);
  EXPECT_EQ(SplitWords("a\\"), std::nullopt);
}

}  // namespace
}  // namespace qarion::secrets::core
