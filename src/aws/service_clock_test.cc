#include "aws/service_clock.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/skipping_clock.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::hours;

TEST(ServiceClock, IsTheMachinesUntilItIsCorrected) {
  test::SkippingClock machine;
  ServiceClock clock(machine);
  EXPECT_EQ(clock.SystemNow(), machine.SystemNow());
  clock.Correct(hours(-1));
  EXPECT_EQ(clock.SystemNow(), machine.SystemNow() - hours(1));
}

// Two refusals that cross correct it to the same.
TEST(ServiceClock, TellsHowFarATimeIsAheadOfTheMachine) {
  test::SkippingClock machine;
  ServiceClock clock(machine);
  const std::chrono::sys_seconds later(std::chrono::seconds(1767225600) + hours(1));
  EXPECT_EQ(clock.LeadOf(later), hours(1));
  clock.Correct(clock.LeadOf(later));
  EXPECT_EQ(clock.LeadOf(later), hours(1));
}

}  // namespace
}  // namespace qarion::secrets::aws
