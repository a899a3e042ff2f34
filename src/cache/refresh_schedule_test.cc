#include "cache/refresh_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace qarion::secrets::cache {
namespace {

using std::chrono::seconds;

constexpr seconds kTtl{300};
constexpr std::chrono::hours kLong{24};

std::vector<double> Draw(const std::function<RefreshSchedule::Duration()>& interval) {
  std::vector<double> drawn;
  for (int i = 0; i < 100'000; ++i) {
    drawn.push_back(std::chrono::duration<double>(interval()).count());
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

// The largest distance between the drawn and the expected distribution (Kolmogorov, Smirnov). For
// 100,000 draws it exceeds 0.0062 once in a thousand runs, and the seed is fixed.
double Distance(const std::vector<double>& drawn, const std::function<double(double)>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(drawn.size());
    largest = std::max(largest, std::abs(share - expected(drawn[i])));
  }
  return largest;
}

TEST(RefreshSchedule, DrawsTheFirstIntervalFromTheEquilibrium) {
  core::SystemRandom random(1);
  RefreshSchedule schedule(kTtl, random);
  const auto drawn = Draw([&] { return schedule.FirstInterval(); });
  // Renewal theory: density (1 - F(x)) / E[X], with F uniform on [T/2, T] and E[X] = 3T/4,
  // integrated.
  const double t = 300;
  EXPECT_LT(Distance(drawn,
                     [t](double x) {
                       const double mean = 0.75 * t;
                       if (x <= t / 2) return x / mean;
                       const double u = x - t / 2;
                       return (t / 2 + u - u * u / t) / mean;
                     }),
            0.0062);
}

TEST(RefreshSchedule, DrawsLaterIntervalsUniformlyFromHalfTheTtlToTheTtl) {
  core::SystemRandom random(2);
  RefreshSchedule schedule(kTtl, random);
  const auto drawn = Draw([&] { return schedule.NextInterval(); });
  EXPECT_GE(drawn.front(), 150);
  EXPECT_LE(drawn.back(), 300);
  EXPECT_LT(Distance(drawn, [](double x) { return (x - 150) / 150; }), 0.0062);
}

TEST(RefreshSchedule, DoublesRetriesUpToTheIntervalsOfAHealthyStore) {
  core::SystemRandom random(3);
  RefreshSchedule schedule(kTtl, random);
  double longest = 300.0 / 20;
  for (int failures = 1; failures <= 12; ++failures) {
    for (int i = 0; i < 100; ++i) {
      const double retry =
          std::chrono::duration<double>(schedule.RetryInterval(failures, kLong)).count();
      EXPECT_GE(retry, longest / 2) << failures;
      EXPECT_LE(retry, longest) << failures;
    }
    longest = std::min(longest * 2, 300.0);
  }
  EXPECT_LE(schedule.RetryInterval(1'000'000, kLong), kTtl);
}

TEST(RefreshSchedule, KeepsTheDistributionOfAHealthyStoreInALongOutage) {
  core::SystemRandom random(5);
  RefreshSchedule schedule(kTtl, random);
  const auto drawn = Draw([&] { return schedule.RetryInterval(20, kLong); });
  EXPECT_LT(Distance(drawn, [](double x) { return std::clamp((x - 150) / 150, 0.0, 1.0); }),
            0.0062);
}

TEST(RefreshSchedule, RetriesAfterASecondAtFirstWhereNothingIsLeftToServe) {
  core::SystemRandom random(9);
  RefreshSchedule schedule(kTtl, random);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(schedule.RetryInterval(1, seconds(0)), seconds(1));
    EXPECT_LE(schedule.RetryInterval(2, seconds(0)), seconds(2));
  }
}

TEST(RefreshSchedule, RetriesAtLeastEveryThirtySecondsOnceNothingIsLeftToServe) {
  core::SystemRandom random(4);
  RefreshSchedule schedule(kTtl, random);
  for (int i = 0; i < 100; ++i) {
    const auto retry = schedule.RetryInterval(20, seconds(0));
    EXPECT_GE(retry, seconds(15));
    EXPECT_LE(retry, seconds(30));
  }
}

TEST(RefreshSchedule, RetriesSoonAfterTheSnapshotExpiresWhereThatComesFirst) {
  core::SystemRandom random(6);
  RefreshSchedule schedule(kTtl, random);
  for (int i = 0; i < 100; ++i) {
    const auto retry = schedule.RetryInterval(20, seconds(100));
    EXPECT_GE(retry, seconds(115));
    EXPECT_LE(retry, seconds(130));
  }
}

TEST(RefreshSchedule, NeverWaitsLongerBecauseTheSnapshotExpires) {
  core::SystemRandom random(7);
  RefreshSchedule schedule(kTtl, random);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(schedule.RetryInterval(1, std::chrono::milliseconds(700)),
              std::chrono::milliseconds(1700));
    EXPECT_LE(schedule.RetryInterval(1, seconds(14)), seconds(15));
  }
}

TEST(RefreshSchedule, RetriesWithinAShortTtl) {
  core::SystemRandom random(8);
  RefreshSchedule schedule(seconds(5), random);
  for (int i = 0; i < 100; ++i) EXPECT_LE(schedule.RetryInterval(20, seconds(0)), seconds(5));
}

}  // namespace
}  // namespace qarion::secrets::cache
