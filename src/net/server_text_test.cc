#include "net/server_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::net {
namespace {

TEST(OneLine, HasNoControlCharactersAndNoBlanksAtItsEnds) {
  EXPECT_EQ(OneLine(" a\n\tb \x01 c\x7f ", {}), "a b c");
  EXPECT_EQ(OneLine("", {}), "");
  EXPECT_EQ(OneLine("\n", {}), "");
}

TEST(OneLine, HidesWhatNobodyMaySee) {
  std::vector<Secret> hidden;
  for (const char* const text : {"fake", "fake-token", "abc", ""}) {
    hidden.push_back(Secret::CopyOf(text));
  }
  EXPECT_EQ(OneLine("of fake-token, fake and fakefake-tokenfake", hidden),
            "of ***, *** and *********");
  EXPECT_EQ(OneLine("fak abc", hidden), "fak abc");  // too short to be one
}

// Servers quote tokens without their scheme, in parts, cut or encoded.
TEST(OneLine, HidesPiecesOf12Characters) {
  const Secret hidden = Secret::CopyOf("Bearer fake-head.fake-claims-part/fake-signature");
  EXPECT_EQ(OneLine("of fake-claims-part", {&hidden, 1}), "of ***");
  EXPECT_EQ(OneLine("of fake-claims-part%2Ffake-signature!", {&hidden, 1}), "of ***%2F***!");
  EXPECT_EQ(OneLine("of fake-claims-...", {&hidden, 1}), "of ***...");
  EXPECT_EQ(OneLine("of fake-claims-x", {&hidden, 1}), "of ***x");
  EXPECT_EQ(OneLine("of fake-claims", {&hidden, 1}), "of fake-claims");
}

TEST(OneLine, HidesValuesThatOverlap) {
  std::vector<Secret> hidden;
  hidden.push_back(Secret::CopyOf("fake-token"));
  hidden.push_back(Secret::CopyOf("token-of-mine"));
  EXPECT_EQ(OneLine("a fake-token-of-mine b", hidden), "a *** b");
}

TEST(OneLine, HidesAValueThatHasLineBreaks) {
  const Secret hidden = Secret::CopyOf("fake\nkey");
  EXPECT_EQ(OneLine("is fake\nkey.", {&hidden, 1}), "is ***.");
}

TEST(OneLine, ReadsNoMoreThan16KiB) {
  EXPECT_EQ(OneLine("a" + std::string(16 * 1024 - 2, ' ') + "b", {}), "a b");
  EXPECT_EQ(OneLine("a" + std::string(16 * 1024 - 1, ' ') + "b", {}), "a...");
}

TEST(OneLine, EndsWithinItsLimitAndBetweenCharacters) {
  EXPECT_EQ(OneLine("abcdef", {}, 6), "abcdef");
  EXPECT_EQ(OneLine("abcdefg", {}, 6), "abcdef...");
  EXPECT_EQ(OneLine("abcdef ghi", {}, 6), "abcdef...");
  EXPECT_EQ(OneLine("abcde fghi", {}, 6), "abcde...");
  EXPECT_EQ(OneLine("abcde\u00e9f", {}, 6), "abcde...");
  const Secret hidden = Secret::CopyOf("fake-token");
  EXPECT_EQ(OneLine("abcfake-token", {&hidden, 1}, 8), "abc***");
}

}  // namespace
}  // namespace qarion::secrets::net
