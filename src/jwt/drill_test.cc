#include "jwt/drill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace qarion::secrets::jwt {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::Each;
using testing::Ge;
using testing::Lt;

DrillOptions Defaults() {
  return {.times = {.cache_ttl = seconds(300),
                    .max_stale = seconds(3600),
                    .lifetime = seconds(1800),
                    .leeway = seconds(60)}};
}

struct Drilled {
  DrillRun two_keys;
  DrillRun two_keys_fetching;
  DrillRun three_steps;
};

Drilled Play(const DrillOptions& options) {
  auto runs = Drill(options);
  EXPECT_TRUE(runs.has_value());
  EXPECT_EQ(runs->size(), 3U);
  return {(*runs)[0], (*runs)[1], (*runs)[2]};
}

std::uint64_t Rejected(const DrillRun& run) {
  std::uint64_t rejected = 0;
  for (const DrillStep& step : run.steps) rejected += step.rejected;
  return rejected;
}

std::vector<std::uint64_t> Checked(const DrillRun& run) {
  std::vector<std::uint64_t> checked;
  for (const DrillStep& step : run.steps) checked.push_back(step.checked);
  return checked;
}

void ExpectNothingLost(const DrillRun& run) {
  EXPECT_EQ(Rejected(run), 0U);
  EXPECT_EQ(run.late_accepted, 0U);
  EXPECT_GT(run.late, 20U);
}

TEST(Drill, RejectsTokensWithTwoKeys) {
  const Drilled drilled = Play(Defaults());
  ASSERT_EQ(drilled.two_keys.steps.size(), 3U);
  EXPECT_EQ(drilled.two_keys.steps[0].rejected, 0U);
  EXPECT_GT(drilled.two_keys.steps[1].rejected, 0U) << "a key that others do not know yet";
  EXPECT_GT(drilled.two_keys.steps[2].rejected, 0U) << "a key that was dropped too early";
  EXPECT_EQ(drilled.two_keys.late_accepted, 0U);
}

TEST(Drill, RejectsNothingInThreeSteps) {
  const Drilled drilled = Play(Defaults());
  ASSERT_EQ(drilled.three_steps.steps.size(), 4U);
  EXPECT_THAT(Checked(drilled.three_steps), Each(Ge(1000U)));
  ExpectNothingLost(drilled.three_steps);
}

TEST(Drill, RejectsNothingInThreeStepsWhateverTheFleet) {
  for (const seconds cache_ttl : {seconds(1), seconds(30), seconds(3600)}) {
    for (const seconds lifetime : {seconds(1), seconds(60), seconds(86400)}) {
      for (const std::size_t partitioned : {0U, 1U, 3U}) {
        DrillOptions options = Defaults();
        options.times.cache_ttl = cache_ttl;
        options.times.lifetime = lifetime;
        options.replicas = 4;
        options.partitioned = partitioned;
        options.seed = partitioned + 7;
        ExpectNothingLost(Play(options).three_steps);
      }
    }
  }
}

// At once everywhere, so that what is still alive when the old key goes meets who lacks it.
TEST(Drill, RejectsNothingInThreeStepsHoweverFarClocksDiffer) {
  for (const seconds leeway : {seconds(0), seconds(60), seconds(600)}) {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
      DrillOptions options = Defaults();
      options.times = {.cache_ttl = seconds(1),
                       .max_stale = seconds(0),
                       .lifetime = seconds(120),
                       .leeway = leeway};
      options.seed = seed;
      ExpectNothingLost(Play(options).three_steps);
    }
  }
}

TEST(Drill, FetchingAgainSavesWhoCanReachTheStore) {
  Drilled drilled = Play(Defaults());
  EXPECT_EQ(drilled.two_keys_fetching.steps[1].rejected, 0U);
  DrillOptions options = Defaults();
  options.partitioned = 1;
  drilled = Play(options);
  EXPECT_GT(drilled.two_keys_fetching.steps[1].rejected, 0U);
}

TEST(Drill, TwoKeysWillDoWhereEachReadFetches) {
  DrillOptions options = Defaults();
  options.times.cache_ttl = seconds(0);
  const Drilled drilled = Play(options);
  ExpectNothingLost(drilled.two_keys);
  ExpectNothingLost(drilled.two_keys_fetching);
  ExpectNothingLost(drilled.three_steps);
}

TEST(Drill, ShowsWhatHasteCosts) {
  DrillOptions options = Defaults();
  options.is_hasty = true;
  const Drilled drilled = Play(options);
  EXPECT_GT(Rejected(drilled.three_steps), 0U);
  EXPECT_EQ(drilled.three_steps.late_accepted, 0U);
}

TEST(Drill, IsTheSameForTheSameSeed) {
  DrillOptions options = Defaults();
  options.partitioned = 2;
  const Drilled first = Play(options);
  const Drilled second = Play(options);
  EXPECT_EQ(Rejected(first.two_keys), Rejected(second.two_keys));
  EXPECT_EQ(Checked(first.two_keys), Checked(second.two_keys));
  options.seed = 2;
  EXPECT_NE(Rejected(first.two_keys), Rejected(Play(options).two_keys));
}

TEST(Drill, IsShortWhateverTheTimes) {
  DrillOptions options = Defaults();
  options.replicas = kMostDrillReplicas;
  options.partitioned = 1;
  options.times = {.cache_ttl = seconds(1),
                   .max_stale = hours(168),
                   .lifetime = hours(24 * 366),
                   .leeway = hours(1)};
  const Drilled drilled = Play(options);
  ExpectNothingLost(drilled.three_steps);
  EXPECT_THAT(Checked(drilled.three_steps), Each(Lt(1'000'000U)));
}

TEST(Drill, IsSilentWhereNobodyIsLeftToServe) {
  DrillOptions options = Defaults();
  options.replicas = 1;
  options.partitioned = 1;
  EXPECT_EQ(Rejected(Play(options).three_steps), 0U);
}

}  // namespace
}  // namespace qarion::secrets::jwt
