#include "aws/credential_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/fake_clock.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class CredentialCacheTest : public testing::Test {
 protected:
  // What the next fetches bring: how long credentials last, or nothing for a failure.
  Result<Credentials> Fetch(const net::Call& call) {
    ++fetches_;
    time_to_fetch_ = call.deadline - clock_.SteadyNow();
    if (fails_) {
      return Error(ErrorCode::kUnavailable, "no answer").Cure("wait");
    }
    Credentials credentials{.keys = {.access_key_id = "AKIDFAKE" + std::to_string(key_),
                                     .secret_access_key = Secret::CopyOf("fake")},
                            .origin = "a test"};
    if (lifetime_ != minutes::max()) credentials.expires_at = clock_.SystemNow() + lifetime_;
    if (changes_key_) ++key_;
    return credentials;
  }

  // The key that is given now, or the error's reason.
  std::string Get() {
    auto credentials = cache_.Get(call_);
    return credentials ? credentials->keys.access_key_id : credentials.error().reason();
  }

  core::FakeClock clock_;
  const net::Call call_{.deadline = clock_.SteadyNow() + std::chrono::hours(1000)};
  std::atomic<int> fetches_ = 0;
  int key_ = 1;
  bool changes_key_ = true;
  bool fails_ = false;
  minutes lifetime_{60};
  std::chrono::nanoseconds time_to_fetch_{};
  std::vector<std::string> log_;
  CredentialCache cache_{[this](const net::Call& call) { return Fetch(call); }, clock_,
                         [this](std::string_view line) { log_.emplace_back(line); }};
};

TEST_F(CredentialCacheTest, GivesTheSameUntilAQuarterOfAnHourIsLeft) {
  EXPECT_EQ(Get(), "AKIDFAKE1");
  clock_.Advance(minutes(45));
  EXPECT_EQ(Get(), "AKIDFAKE1");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Get(), "AKIDFAKE2");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(CredentialCacheTest, KeepsForEverWhatHasNoEnd) {
  lifetime_ = minutes::max();
  EXPECT_EQ(Get(), "AKIDFAKE1");
  clock_.Advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(Get(), "AKIDFAKE1");
  EXPECT_EQ(fetches_, 1);
}

TEST_F(CredentialCacheTest, CoversAFailureWithWhatStillLastsTenMinutes) {
  EXPECT_EQ(Get(), "AKIDFAKE1");
  fails_ = true;
  clock_.Advance(minutes(50));
  EXPECT_EQ(Get(), "AKIDFAKE1");
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0], HasSubstr("no answer"));
  clock_.Advance(seconds(1));
  EXPECT_EQ(Get(), "no answer");
}

TEST_F(CredentialCacheTest, LeavesTimeToUseTheOldOnesWhereNobodyAnswers) {
  const auto get_within = [&](seconds time) {
    return cache_.Get({.deadline = clock_.SteadyNow() + time}).has_value();
  };
  EXPECT_TRUE(get_within(seconds(10)));
  EXPECT_EQ(time_to_fetch_, seconds(10));
  clock_.Advance(minutes(46));
  EXPECT_TRUE(get_within(seconds(10)));
  EXPECT_EQ(time_to_fetch_, seconds(5));
  clock_.Advance(minutes(51));
  EXPECT_TRUE(get_within(seconds(10)));
  EXPECT_EQ(time_to_fetch_, seconds(10));
}

// The clock may be wrong.
TEST_F(CredentialCacheTest, GivesWhatSeemsToHaveEndedAndFetchesItAnew) {
  lifetime_ = minutes(0);
  EXPECT_EQ(Get(), "AKIDFAKE1");
  EXPECT_EQ(Get(), "AKIDFAKE2");
  lifetime_ = minutes(60);
  EXPECT_EQ(Get(), "AKIDFAKE3");
  EXPECT_EQ(Get(), "AKIDFAKE3");
}

TEST_F(CredentialCacheTest, AsksAgainAfterAFailure) {
  fails_ = true;
  EXPECT_EQ(Get(), "no answer");
  fails_ = false;
  EXPECT_EQ(Get(), "AKIDFAKE1");
}

TEST_F(CredentialCacheTest, AsksAgainAfterAnException) {
  bool throws = true;
  CredentialCache cache(
      [&](const net::Call& call) {
        if (std::exchange(throws, false)) throw std::bad_alloc();
        return Fetch(call);
      },
      clock_, [](std::string_view) {});
  EXPECT_THROW((void)cache.Get(call_), std::bad_alloc);
  EXPECT_TRUE(cache.Get(call_));
}

TEST_F(CredentialCacheTest, ReplacesWhatWasRefusedOnceForAll) {
  auto first = cache_.Get(call_);
  ASSERT_TRUE(first);
  auto second = cache_.Replace(*first, call_);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->keys.access_key_id, "AKIDFAKE2");
  // Whoever was refused with the first ones too gets what is there by now.
  auto again = cache_.Replace(*first, call_);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->keys.access_key_id, "AKIDFAKE2");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(CredentialCacheTest, SaysThatThereAreNoOthers) {
  changes_key_ = false;
  auto first = cache_.Get(call_);
  ASSERT_TRUE(first);
  auto second = cache_.Replace(*first, call_);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
}

// With a fetch that waits until it is let go.
class CredentialCacheOfManyThreads : public testing::Test {
 protected:
  Result<Credentials> Fetch() {
    ++fetches_;
    while (is_held_) std::this_thread::yield();
    return Credentials{.keys = {.access_key_id = "AKIDFAKE" + std::to_string(fetches_),
                                .secret_access_key = Secret::CopyOf("fake")},
                       .expires_at = clock_.SystemNow() + minutes(60)};
  }
  void AwaitFetches(int count) {
    while (fetches_ < count) std::this_thread::yield();
  }
  std::string Get() {
    auto credentials = cache_.Get(call_);
    return credentials ? credentials->keys.access_key_id : credentials.error().reason();
  }

  core::FakeClock clock_;
  net::Call call_{.deadline = clock_.SteadyNow() + std::chrono::hours(1000)};
  std::atomic<int> fetches_ = 0;
  std::atomic<bool> is_held_ = false;
  CredentialCache cache_{[this](const net::Call&) { return Fetch(); }, clock_,
                         [](std::string_view) {}};
};

TEST_F(CredentialCacheOfManyThreads, FetchesOnceForAll) {
  is_held_ = true;
  std::vector<std::string> keys(8);
  std::vector<std::jthread> threads;
  for (std::string& key : keys) {
    threads.emplace_back([this, &key] { key = Get(); });
  }
  AwaitFetches(1);
  is_held_ = false;
  threads.clear();
  EXPECT_EQ(fetches_, 1);
  EXPECT_THAT(keys, testing::Each("AKIDFAKE1"));
}

TEST_F(CredentialCacheOfManyThreads, LetsOthersGoOnWithTheOldOnesAtFirst) {
  EXPECT_EQ(Get(), "AKIDFAKE1");
  clock_.Advance(minutes(46));
  is_held_ = true;
  std::jthread refresher([this] { EXPECT_EQ(Get(), "AKIDFAKE2"); });
  AwaitFetches(2);
  EXPECT_EQ(Get(), "AKIDFAKE1");
  is_held_ = false;
}

TEST_F(CredentialCacheOfManyThreads, WaitsNoLongerThanItsCaller) {
  is_held_ = true;
  std::jthread refresher([this] { EXPECT_EQ(Get(), "AKIDFAKE1"); });
  AwaitFetches(1);
  std::stop_source stop;
  stop.request_stop();
  auto stopped = cache_.Get({.deadline = call_.deadline, .stop = stop.get_token()});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kUnavailable);
  auto late = cache_.Get({.deadline = clock_.SteadyNow()});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), ErrorCode::kUnavailable);
  is_held_ = false;
}

// Whoever waits by it is asked to stop at once, by a thread that finds the waiter's lock taken.
class StoppingClock final : public Clock {
 public:
  SteadyTime SteadyNow() const noexcept override { return SteadyTime(std::chrono::hours(1)); }
  SystemTime SystemNow() const noexcept override { return SystemTime(std::chrono::hours(1)); }
  bool WaitUntil(std::unique_lock<std::mutex>&, std::condition_variable&, SteadyTime,
                 const std::function<bool()>& done) override {
    stopper_ = std::jthread([this] { stop.request_stop(); });
    while (!stop.stop_requested()) std::this_thread::yield();
    return done();
  }

  std::stop_source stop;

 private:
  std::jthread stopper_;
};

TEST(CredentialCacheOfManyThreadsTest, LetsGoOfAWaiterWhileItIsAskedToStop) {
  StoppingClock clock;
  std::atomic<bool> is_fetching = false;
  std::atomic<bool> is_held = true;
  CredentialCache cache(
      [&](const net::Call&) -> Result<Credentials> {
        is_fetching = true;
        while (is_held) std::this_thread::yield();
        return Error(ErrorCode::kUnavailable, "no answer");
      },
      clock, [](std::string_view) {});
  const net::Call call{.deadline = Clock::SteadyTime::max(), .stop = clock.stop.get_token()};
  const std::jthread fetcher([&] { EXPECT_FALSE(cache.Get({.deadline = call.deadline})); });
  while (!is_fetching) std::this_thread::yield();
  EXPECT_FALSE(cache.Get(call));
  is_held = false;
}

}  // namespace
}  // namespace qarion::secrets::aws
