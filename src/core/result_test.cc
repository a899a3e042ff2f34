#include "qarion/secrets/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace qarion::secrets {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return Error(ErrorCode::kBadData, "odd");
  return value / 2;
}

TEST(Result, HoldsAValue) {
  const Result<int> half = Half(4);
  ASSERT_TRUE(half);
  EXPECT_EQ(*half, 2);
}

TEST(Result, HoldsAnError) {
  const Result<int> half = Half(3);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code(), ErrorCode::kBadData);
  EXPECT_EQ(half.error().reason(), "odd");
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  std::unique_ptr<int> taken = *std::move(made);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, ChainsUntilTheFirstError) {
  EXPECT_EQ(*Half(8).and_then(Half), 2);
  EXPECT_FALSE(Half(6).and_then(Half));
  EXPECT_EQ(*Half(6).transform([](int value) { return std::to_string(value); }), "3");
}

TEST(Result, FallsBackWhenAsked) { EXPECT_EQ(Half(3).value_or(-1), -1); }

TEST(Status, SucceedsWithoutAValue) {
  EXPECT_TRUE(Status());
  EXPECT_FALSE(Status(Error(ErrorCode::kIo, "disk full")));
}

TEST(Error, KeepsContextAndCure) {
  const Error error =
      Error(ErrorCode::kConfiguration, "X is empty").With("setting", "X").Cure("set X");
  ASSERT_EQ(error.context().size(), 1u);
  EXPECT_EQ(error.context()[0].second, "X");
  EXPECT_EQ(error.cure(), "set X");
}

TEST(Error, TellsTransientFailuresFromAnswers) {
  EXPECT_TRUE(Error(ErrorCode::kUnavailable, "").IsTransient());
  EXPECT_TRUE(Error(ErrorCode::kTryAgain, "").IsTransient());
  EXPECT_FALSE(Error(ErrorCode::kNotPermitted, "").IsTransient());
  EXPECT_FALSE(Error(ErrorCode::kNotSet, "").IsTransient());
}

// The numbers of sysexits.h.
TEST(Error, MapsToSysexits) {
  EXPECT_EQ(ExitStatus(ErrorCode::kUsage), 64);
  EXPECT_EQ(ExitStatus(ErrorCode::kBadData), 65);
  EXPECT_EQ(ExitStatus(ErrorCode::kUnavailable), 69);
  EXPECT_EQ(ExitStatus(ErrorCode::kInternal), 70);
  EXPECT_EQ(ExitStatus(ErrorCode::kIo), 74);
  EXPECT_EQ(ExitStatus(ErrorCode::kTryAgain), 75);
  EXPECT_EQ(ExitStatus(ErrorCode::kNotPermitted), 77);
  EXPECT_EQ(ExitStatus(ErrorCode::kConfiguration), 78);
  EXPECT_EQ(ExitStatus(ErrorCode::kNotSet), 78);
}

}  // namespace
}  // namespace qarion::secrets
