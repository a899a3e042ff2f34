#include "qarion/secrets/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace qarion::secrets {
namespace {

using std::string_view_literals::operator""sv;

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

TEST(Secret, KeepsEveryByte) { EXPECT_EQ(Secret::CopyOf("a\0b\xff\n"sv).Reveal(), "a\0b\xff\n"sv); }

TEST(Secret, IsEmptyByDefault) {
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret().Reveal(), "");
  EXPECT_TRUE(Secret::CopyOf("").empty());
}

TEST(Secret, SharesItsBytesWithoutCopying) {
  Secret shared;
  {
    const Secret first = Secret::CopyOf("fake-value");
    shared = first.Share();
    EXPECT_EQ(shared.Reveal().data(), first.Reveal().data());
  }
  EXPECT_EQ(shared.Reveal(), "fake-value");
}

TEST(Secret, ComparesWholeValues) {
  const Secret secret = Secret::CopyOf("fake-value");
  EXPECT_TRUE(secret.ConstantTimeEquals("fake-value"));
  EXPECT_TRUE(secret.ConstantTimeEquals(secret.Share()));
  EXPECT_FALSE(secret.ConstantTimeEquals("fake-valuf"));
  EXPECT_FALSE(secret.ConstantTimeEquals("Fake-value"));
  EXPECT_FALSE(secret.ConstantTimeEquals("fake-valu"));
  EXPECT_FALSE(secret.ConstantTimeEquals(""));
}

TEST(Secret, MayBeSharedAndDroppedByManyThreads) {
  const Secret secret = Secret::CopyOf("fake-value");
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) ASSERT_EQ(secret.Share().Reveal(), "fake-value");
    });
  }
}

TEST(SecretBuffer, GathersPiecesOfAnySize) {
  SecretBuffer buffer;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    buffer.Append(piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.Reveal(), expected);
  EXPECT_EQ(std::move(buffer).Seal().Reveal(), expected);
}

TEST(SecretBuffer, IsEmptyOnceSealed) {
  SecretBuffer buffer;
  buffer.Append("fake");
  const Secret sealed = std::move(buffer).Seal();
  // NOLINTNEXTLINE(bugprone-use-after-move): the state after Seal is documented.
  EXPECT_TRUE(buffer.empty());
  buffer.Append("other");
  EXPECT_EQ(sealed.Reveal(), "fake");
}

TEST(SecretBuffer, WipesWhatItDrops) {
  SecretBuffer buffer;
  buffer.Append("0123456789");
  const char* bytes = buffer.Reveal().data();
  buffer.RemovePrefix(4);
  EXPECT_EQ(buffer.Reveal(), "456789");
  EXPECT_EQ(std::string_view(bytes + 6, 4), "\0\0\0\0"sv);
  buffer.Truncate(1);
  EXPECT_EQ(std::string_view(bytes, 10), "4\0\0\0\0\0\0\0\0\0"sv);
}

}  // namespace
}  // namespace qarion::secrets
