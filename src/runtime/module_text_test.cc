#include "runtime/module_text.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::runtime {
namespace {

TEST(ModuleText, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(SafeText("cannot reach https://store: \xc3\xa9t\xc3\xa9", "x"),
            "cannot reach https://store: \xc3\xa9t\xc3\xa9");
}

TEST(ModuleText, TakesTheFallbackForNothing) {
  EXPECT_EQ(SafeText(nullptr, "no reason"), "no reason");
  EXPECT_EQ(SafeText("", "no reason"), "no reason");
  EXPECT_EQ(SafeText(" \n\t", "no reason"), "no reason");
}

TEST(ModuleText, ReplacesControlCharacters) {
  EXPECT_EQ(SafeText("a\nb\x1b[31mc\x7f", "x"), "a b [31mc ");
  EXPECT_EQ(SafeText("a\xc2\x9b"
                     "31m",
                     "x"),
            "a 31m");
}

// Unicode's bidirectional and line-ending characters: a terminal would show another text.
TEST(ModuleText, ReplacesWhatTurnsTextRound) {
  EXPECT_EQ(SafeText("a\u202eb\u2066c\u2028d\u200fe", "x"), "a b c d e");
  EXPECT_EQ(SafeText("a\u2026b\u2030c\u2065", "x"), "a\u2026b\u2030c\u2065");
}

TEST(ModuleText, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(SafeText("a\xff"
                     "b\xc3",
                     "x"),
            "a?b?");
}

TEST(ModuleText, KeepsFiveHundredBytes) {
  EXPECT_EQ(SafeText(std::string(500, 'a').c_str(), "x"), std::string(500, 'a'));
  EXPECT_EQ(SafeText(std::string(501, 'a').c_str(), "x"), std::string(497, 'a') + "...");
}

TEST(ModuleText, CutsBetweenCharacters) {
  const std::string text = std::string(496, 'a') + "\xe2\x82\xac" + std::string(9, 'b');
  EXPECT_EQ(SafeText(text.c_str(), "x"), std::string(496, 'a') + "...");
}

}  // namespace
}  // namespace qarion::secrets::runtime
