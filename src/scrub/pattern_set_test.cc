#include "scrub/pattern_set.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/secret_memory.h"

namespace qarion::secrets::internal {
namespace {

TEST(PatternSet, CountsEachValueOnce) {
  PatternSet set;
  set.Add("fake-value-one");
  set.Add(Secret::CopyOf("fake-value-one"));
  set.Add("fake-value-two");
  EXPECT_EQ(set.size(), 2u);
}

TEST(PatternSet, IgnoresTheEmptyValue) {
  PatternSet set;
  set.Add("");
  set.Add(Secret());
  EXPECT_EQ(set.size(), 0u);
}

TEST(PatternSet, ChangesItsGenerationOnlyForNewValues) {
  PatternSet set;
  const auto empty = set.generation();
  set.Add("fake-value-one");
  const auto one = set.generation();
  EXPECT_NE(one, empty);
  set.Add("fake-value-one");
  set.Add("");
  EXPECT_EQ(set.generation(), one);
}

TEST(PatternSet, CompilesOnceForSeveralAdds) {
  PatternSet set;
  set.Add("fake-value-one");
  set.Add("fake-value-two");
  const CompiledPatterns first = set.Compiled();
  EXPECT_EQ(first.generation, set.generation());
  EXPECT_EQ(set.Compiled().matcher, first.matcher);
  set.Add("fake-value-one");
  EXPECT_EQ(set.Compiled().matcher, first.matcher);
}

TEST(PatternSet, LeavesMatchersInUseAlone) {
  PatternSet set;
  set.Add("fake-value-one");
  const CompiledPatterns first = set.Compiled();
  set.Add("fake-value-two");
  EXPECT_NE(set.Compiled().matcher, first.matcher);
  scrub::MatchState state;
  std::array<scrub::Match, 4> room;
  EXPECT_EQ(first.matcher->Scan("fake-value-one fake-value-two", state, room).matches, 1u);
}

TEST(PatternSet, SharesTheSecretInsteadOfCopyingIt) {
  PatternSet set;
  const auto before = core::GetSecretMemoryStatus().in_use_bytes;
  const Secret value = Secret::CopyOf(std::string(5000, 'x'));
  const auto with_value = core::GetSecretMemoryStatus().in_use_bytes;
  ASSERT_GT(with_value, before);
  set.Add(value);
  EXPECT_EQ(core::GetSecretMemoryStatus().in_use_bytes, with_value);
}

}  // namespace
}  // namespace qarion::secrets::internal
