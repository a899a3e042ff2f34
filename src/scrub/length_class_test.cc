#include "scrub/length_class.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <string>
#include <vector>

namespace qarion::secrets::scrub {
namespace {

const ClassShape& kLongest = kClassShapes.back();

std::vector<PatternId> PatternsAt(const LengthClass& length_class, const std::string& window) {
  std::uint64_t key = 0;
  std::memcpy(&key, window.data() + length_class.key_at(), length_class.key_bytes());
  if constexpr (std::endian::native == std::endian::big) key = __builtin_bswap64(key);
  const std::uint64_t hash = LengthClass::HashOfKey(key);
  std::vector<PatternId> ids;
  if (!length_class.MayHave(hash)) return ids;
  length_class.ForEachAt(hash, [&](PatternId id) { ids.push_back(id); });
  return ids;
}

TEST(LengthClass, LeadsFromTheEndOfAWindowToItsPatterns) {
  LengthClass length_class(kLongest, 24);
  length_class.Insert(7, "aaaaaaaaaaaaaaB");
  length_class.Insert(8, "bbbbbbbbbbbbbbC");
  length_class.Insert(9, "cccccccaaaaaaaB");
  EXPECT_EQ(PatternsAt(length_class, "aaaaaaaaaaaaaaB"), (std::vector<PatternId>{7, 9}));
  EXPECT_EQ(PatternsAt(length_class, "bbbbbbbbbbbbbbC"), (std::vector<PatternId>{8}));
  EXPECT_TRUE(PatternsAt(length_class, "aaaaaaaaaaaaaaa").empty());
  EXPECT_EQ(length_class.CountAlike("xxxxxxxaaaaaaaB", 4), 2u);
}

TEST(LengthClass, TakesOverWhatItKnowsOfBytesWhenItGrows) {
  LengthClass small(kLongest, 24);
  small.AddKinds("abcdefgHijklmno");
  const LengthClass larger(small, 48);
  EXPECT_EQ(larger.kinds().Of('H'), ByteKind::kMark);
  EXPECT_EQ(larger.kinds().Of('a'), ByteKind::kPlain);
  EXPECT_EQ(larger.kinds().Of('z'), ByteKind::kOutside);
}

TEST(ByteKinds, CountBytesAsDullOnlyInGramsWithoutAMark) {
  ByteKinds kinds;
  kinds.AddGram("abcX");
  kinds.AddGram("ab1-");
  EXPECT_EQ(kinds.Of('a'), ByteKind::kDullLetter);
  EXPECT_EQ(kinds.Of('c'), ByteKind::kPlain);
  EXPECT_EQ(kinds.Of('1'), ByteKind::kDullDigit);
  EXPECT_EQ(kinds.Of('-'), ByteKind::kDullOther);
  EXPECT_EQ(kinds.Of('X'), ByteKind::kMark);
  EXPECT_EQ(kinds.dull_bytes(), 4u);
}

}  // namespace
}  // namespace qarion::secrets::scrub
