#include "cache/change_hub.h"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

namespace qarion::secrets::cache {
namespace {

class ChangeHubTest : public testing::Test {
 protected:
  void Deliver() {
    hub_.Deliver(snapshot_, snapshot_, [this](std::string_view line) { logged_ += line; });
  }

  const Snapshot snapshot_{Snapshot::Contents{}};
  std::string logged_;
  ChangeHub hub_;
};

TEST_F(ChangeHubTest, CallsSubscribersUntilTheyAreDropped) {
  int calls = 0;
  auto subscription = hub_.Subscribe([&](const Snapshot&, const Snapshot&) { ++calls; });
  Deliver();
  Deliver();
  subscription.reset();
  Deliver();
  EXPECT_EQ(calls, 2);
}

TEST_F(ChangeHubTest, WaitsForARunningCallBeforeTheSubscriptionIsGone) {
  std::latch entered(1);
  std::latch go_on(1);
  bool finished = false;
  auto subscription = hub_.Subscribe([&](const Snapshot&, const Snapshot&) {
    entered.count_down();
    go_on.wait();
    finished = true;
  });
  std::jthread deliverer([this] { Deliver(); });
  entered.wait();
  std::jthread releaser([&] { go_on.count_down(); });
  subscription.reset();
  EXPECT_TRUE(finished);
}

TEST_F(ChangeHubTest, LetsACallbackDropItsOwnSubscription) {
  int calls = 0;
  std::shared_ptr<void> subscription;
  subscription = hub_.Subscribe([&](const Snapshot&, const Snapshot&) {
    ++calls;
    subscription.reset();
  });
  Deliver();
  Deliver();
  EXPECT_EQ(calls, 1);
}

TEST_F(ChangeHubTest, GoesOnAfterACallbackThatThrows) {
  int calls = 0;
  const auto first = hub_.Subscribe(
      [](const Snapshot&, const Snapshot&) { throw std::runtime_error("fake detail"); });
  const auto second = hub_.Subscribe([&](const Snapshot&, const Snapshot&) { ++calls; });
  Deliver();
  EXPECT_EQ(calls, 1);
  EXPECT_NE(logged_.find("threw"), std::string::npos);
  EXPECT_EQ(logged_.find("fake detail"), std::string::npos);
}

TEST(ChangeHub, MayEndBeforeItsSubscriptions) {
  std::shared_ptr<void> subscription;
  {
    ChangeHub hub;
    subscription = hub.Subscribe([](const Snapshot&, const Snapshot&) {});
  }
  subscription.reset();
}

}  // namespace
}  // namespace qarion::secrets::cache
