#include "cache/snapshot_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/fake_clock.h"

namespace qarion::secrets::cache {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr double kHighest = 0.999999;

// Always the same: the schedule's upper or lower ends.
class FixedRandom final : public core::Random {
 public:
  explicit FixedRandom(const double& value) : value_(value) {}
  double Uniform() override { return value_; }

 private:
  const double& value_;
};

// A store that gives its present value or failure, and can be made to wait.
class Store {
 public:
  Result<Fetched> Fetch(const FetchContext& context) {
    std::unique_lock lock(mutex_);
    ++fetches_;
    ++in_flight_;
    EXPECT_EQ(in_flight_, 1) << "two fetches at once";
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_blocked_ || context.stop.stop_requested(); });
    --in_flight_;
    if (is_throwing_) throw std::runtime_error("fake detail");
    if (failure_) return *failure_;
    if (context.known_version == version_ && says_not_modified_) return Fetched{};
    Snapshot::Contents contents;
    contents.version = version_;
    contents.fields.push_back({"KEY", Secret::CopyOf(value_), "store"});
    return Fetched{.snapshot = std::make_shared<const Snapshot>(std::move(contents)),
                   .expires_at = expires_at_};
  }

  void Set(std::string version, std::string value) {
    const std::lock_guard lock(mutex_);
    version_ = std::move(version);
    value_ = std::move(value);
  }
  void Fail(std::optional<Error> failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }
  void Throw() { is_throwing_ = true; }
  void SayNotModified() { says_not_modified_ = true; }
  void ExpireAt(Clock::SystemTime time) { expires_at_ = time; }
  void Block(bool is_blocked) {
    const std::lock_guard lock(mutex_);
    is_blocked_ = is_blocked;
    changed_.notify_all();
  }
  // Woken by the test, as a provider that watches its stop token would be.
  void Nudge() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  int fetches() {
    const std::lock_guard lock(mutex_);
    return fetches_;
  }
  void AwaitFetches(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return fetches_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string version_ = "1";
  std::string value_ = "fake-1";
  std::optional<Error> failure_;
  std::optional<Clock::SystemTime> expires_at_;
  bool says_not_modified_ = false;
  bool is_throwing_ = false;
  bool is_blocked_ = false;
  int fetches_ = 0;
  int in_flight_ = 0;
};

const Error kTransient(ErrorCode::kUnavailable, "no connection");
const Error kDefinite(ErrorCode::kNotPermitted, "refused");

class SnapshotCacheTest : public testing::Test {
 protected:
  SnapshotCache& Make(CacheOptions options = {}) {
    cache_ = std::make_unique<SnapshotCache>(
        options, [this](const FetchContext& context) { return store_.Fetch(context); }, clock_,
        std::make_unique<FixedRandom>(chance_),
        [this](std::string_view line) {
          const std::lock_guard lock(log_mutex_);
          log_.emplace_back(line);
        });
    return *cache_;
  }
  SnapshotCache& Started(CacheOptions options = {}) {
    Make(options);
    EXPECT_TRUE(cache_->Start());
    return *cache_;
  }

  std::string Value() {
    auto found = cache_->Find("KEY");
    if (!found) return std::string(ToString(found.error().code()));
    return *found ? std::string((*found)->Reveal()) : "not set";
  }

  // Until the background thread has taken in what its latest fetch brought.
  void AwaitValue(std::string_view value) {
    while (Value() != value) std::this_thread::yield();
  }
  void AwaitError() {
    while (!cache_->status().last_error) std::this_thread::yield();
  }

  Store store_;
  double chance_ = kHighest;
  std::shared_ptr<core::FakeClock> clock_ = std::make_shared<core::FakeClock>();
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<SnapshotCache> cache_;
};

TEST_F(SnapshotCacheTest, ServesFromMemoryUntilARefreshIsDue) {
  Started();
  clock_->Advance(seconds(299));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Value(), "fake-1");
  EXPECT_EQ(store_.fetches(), 1);
}

TEST_F(SnapshotCacheTest, NeedsNoThreadWhileFresh) {
  Started();
  EXPECT_EQ(Value(), "fake-1");
  EXPECT_EQ(clock_->waiting(), 0u);
}

TEST_F(SnapshotCacheTest, RefreshesInTheBackgroundWhenAReaderNoticesThatItIsDue) {
  Started();
  store_.Set("2", "fake-2");
  store_.Block(true);
  clock_->Advance(seconds(300));
  EXPECT_EQ(Value(), "fake-1");  // does not wait
  store_.AwaitFetches(2);
  EXPECT_EQ(Value(), "fake-1");  // nor while the fetch is in flight
  store_.Block(false);
  AwaitValue("fake-2");
  EXPECT_EQ(store_.fetches(), 2);
}

TEST_F(SnapshotCacheTest, RefreshesOnItsOwnOnceTheThreadRuns) {
  Started();
  clock_->Advance(seconds(300));
  EXPECT_EQ(Value(), "fake-1");
  store_.AwaitFetches(2);
  for (int fetches = 3; fetches < 6; ++fetches) {
    while (clock_->waiting() == 0) std::this_thread::yield();
    clock_->Advance(seconds(300));
    store_.AwaitFetches(fetches);
  }
}

TEST_F(SnapshotCacheTest, KeepsServingThroughTransientFailuresUpToMaxStale) {
  Started({.ttl = seconds(300), .max_stale = seconds(3600)});
  store_.Fail(kTransient);
  clock_->Advance(seconds(301));
  EXPECT_EQ(Value(), "fake-1");
  AwaitError();
  clock_->Advance(seconds(300 + 3600 - 301 - 1));
  EXPECT_EQ(Value(), "fake-1");
  EXPECT_FALSE(cache_->status().fresh);
  EXPECT_FALSE(cache_->status().expired);
  clock_->Advance(seconds(1));
  EXPECT_EQ(Value(), "unavailable");
  EXPECT_TRUE(cache_->status().expired);
}

TEST_F(SnapshotCacheTest, RecoversByItselfAfterFailures) {
  Started();
  store_.Fail(kTransient);
  clock_->Advance(seconds(301));
  EXPECT_EQ(Value(), "fake-1");
  AwaitError();
  store_.Fail(std::nullopt);
  store_.Set("2", "fake-2");
  while (clock_->waiting() == 0) std::this_thread::yield();
  clock_->Advance(seconds(15));
  AwaitValue("fake-2");
  EXPECT_FALSE(cache_->status().last_error);
  const std::lock_guard lock(log_mutex_);
  EXPECT_THAT(log_, testing::ElementsAre(HasSubstr("no connection"), HasSubstr("answers again")));
}

TEST_F(SnapshotCacheTest, SpreadsTheFleetAnewWhereThereWasNothingLeftToServe) {
  Started();
  clock_->Advance(seconds(300));
  chance_ = 0;  // the equilibrium begins at no time, the interval after a healthy fetch at TTL/2
  EXPECT_TRUE(cache_->Refresh());
  EXPECT_EQ(cache_->status().next_refresh_in, seconds(150));
  clock_->Advance(hours(2));
  EXPECT_TRUE(cache_->Refresh());
  EXPECT_EQ(cache_->status().next_refresh_in, seconds(1));  // the shortest there is
}

TEST_F(SnapshotCacheTest, TriesSoonAfterTheSnapshotEnded) {
  Started({.ttl = seconds(300), .max_stale = seconds(100)});
  store_.Fail(kTransient);
  clock_->Advance(seconds(399));
  EXPECT_FALSE(cache_->Refresh());
  EXPECT_LE(cache_->status().next_refresh_in, seconds(2));
}

TEST_F(SnapshotCacheTest, LetsADefiniteAnswerEndTheSnapshotWithItsTtl) {
  Started();
  store_.Fail(kDefinite);
  clock_->Advance(seconds(100));
  EXPECT_FALSE(cache_->Refresh());
  EXPECT_EQ(Value(), "fake-1");  // still fresh
  clock_->Advance(seconds(200));
  EXPECT_EQ(Value(), "not_permitted");
}

TEST_F(SnapshotCacheTest, DoesNotLetATransientFailureCoverAnEarlierDefiniteAnswer) {
  Started();
  store_.Fail(kDefinite);
  EXPECT_FALSE(cache_->Refresh());
  store_.Fail(kTransient);
  EXPECT_FALSE(cache_->Refresh());
  clock_->Advance(seconds(300));
  EXPECT_EQ(Value(), "not_permitted");
}

TEST_F(SnapshotCacheTest, AnswersAtOnceBetweenRetriesAndComesBack) {
  Started();
  store_.Fail(kDefinite);
  EXPECT_FALSE(cache_->Refresh());
  clock_->Advance(hours(1));
  EXPECT_EQ(Value(), "not_permitted");
  const int fetches = store_.fetches();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Value(), "not_permitted");
  EXPECT_LE(store_.fetches(), fetches + 1);
  store_.Fail(std::nullopt);
  store_.Set("2", "fake-2");
  while (Value() != "fake-2") clock_->Advance(seconds(30));
}

TEST_F(SnapshotCacheTest, WaitsForAFetchAfterALongSleep) {
  Started();
  store_.Set("2", "fake-2");
  clock_->Advance(hours(5));
  EXPECT_EQ(Value(), "fake-2");
}

TEST_F(SnapshotCacheTest, CountsASnapshotAsFreshThatTheStoreConfirms) {
  Started();
  store_.SayNotModified();
  clock_->Advance(seconds(200));
  ASSERT_TRUE(cache_->Refresh());
  EXPECT_EQ(cache_->status().age, milliseconds(0));
  EXPECT_EQ(Value(), "fake-1");
}

TEST_F(SnapshotCacheTest, EndsASnapshotWhenTheStoreSaysThatItExpires) {
  store_.ExpireAt(clock_->SystemNow() + seconds(60));
  Started();
  store_.Fail(kTransient);
  clock_->Advance(seconds(59));
  EXPECT_EQ(Value(), "fake-1");
  clock_->Advance(seconds(2));
  EXPECT_EQ(Value(), "unavailable");  // not covered by max_stale
}

TEST_F(SnapshotCacheTest, KeepsTheEndOfASnapshotThatTheStoreConfirms) {
  store_.ExpireAt(clock_->SystemNow() + seconds(60));
  store_.SayNotModified();
  Started();
  clock_->Advance(seconds(30));
  ASSERT_TRUE(cache_->Refresh());
  store_.Fail(kTransient);
  clock_->Advance(seconds(29));
  EXPECT_EQ(Value(), "fake-1");
  clock_->Advance(seconds(2));
  EXPECT_EQ(Value(), "unavailable");
}

TEST_F(SnapshotCacheTest, RefusesValuesThatHaveExpired) {
  store_.ExpireAt(clock_->SystemNow() - seconds(1));
  EXPECT_EQ(Make().Start().error().code(), ErrorCode::kBadData);
}

TEST_F(SnapshotCacheTest, FetchesAtEveryReadWithoutTtl) {
  Started({.ttl = seconds(0)});
  EXPECT_EQ(store_.fetches(), 1);
  EXPECT_EQ(Value(), "fake-1");
  store_.Set("2", "fake-2");
  EXPECT_EQ(Value(), "fake-2");
  EXPECT_EQ(store_.fetches(), 3);
  EXPECT_TRUE(cache_->status().fresh);
  store_.Fail(kTransient);
  EXPECT_EQ(Value(), "unavailable");
  EXPECT_FALSE(cache_->status().fresh);
}

TEST_F(SnapshotCacheTest, RetriesTheFirstFetchUntilTheDeadline) {
  store_.Fail(kTransient);
  Make({.start_timeout = seconds(30)});
  std::jthread turner([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      clock_->AdvanceToNextDeadline();
      std::this_thread::yield();
    }
  });
  const Status started = cache_->Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(started.error().reason(), HasSubstr("no connection; gave up after 30000 ms"));
  EXPECT_GT(store_.fetches(), 5);
}

// Not that the last attempt had no time left, which a coarse clock may tell a tick too early.
TEST_F(SnapshotCacheTest, SaysAtTheDeadlineWhatWentWrongBefore) {
  for (const std::chrono::microseconds early : {-1000us, 0us, 9900us, 10100us}) {
    SCOPED_TRACE(early.count());
    const bool had_time = early > 10ms;
    store_.Fail(Error(ErrorCode::kTryAgain, "fake quota exceeded"));
    Make({.start_timeout = seconds(30)});
    const auto deadline = clock_->SteadyNow() + seconds(30);
    const int fetches = store_.fetches();
    Status started;
    std::jthread starter([&] { started = cache_->Start(); });
    while (clock_->waiting() == 0) std::this_thread::yield();  // for the second attempt
    store_.Block(true);
    store_.Fail(Error(ErrorCode::kUnavailable, "fake time-out"));
    clock_->AdvanceToNextDeadline();
    store_.AwaitFetches(fetches + 2);
    clock_->Advance(deadline - early - clock_->SteadyNow());
    store_.Block(false);
    starter.join();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), had_time ? ErrorCode::kUnavailable : ErrorCode::kTryAgain);
    const std::string problem = had_time ? "fake time-out" : "fake quota exceeded";
    EXPECT_THAT(started.error().reason(), HasSubstr(problem + "; gave up after 30000 ms"));
  }
}

TEST_F(SnapshotCacheTest, StartsAsSoonAsTheStoreAnswers) {
  store_.Fail(kTransient);
  Make();
  std::jthread turner([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (store_.fetches() >= 3) store_.Fail(std::nullopt);
      clock_->AdvanceToNextDeadline();
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(cache_->Start());
}

TEST_F(SnapshotCacheTest, DoesNotRetryADefiniteAnswerAtTheStart) {
  store_.Fail(kDefinite);
  EXPECT_EQ(Make().Start().error().code(), ErrorCode::kNotPermitted);
  EXPECT_EQ(store_.fetches(), 1);
  EXPECT_THAT(log_, testing::IsEmpty());  // whoever called knows
}

TEST_F(SnapshotCacheTest, DoesNotRetryAtTheStartWhatIsNotToBeRepeated) {
  store_.Fail(Error(ErrorCode::kUnavailable, "fake defect of the store").NotToBeRepeated());
  const Status started = Make().Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(started.error().reason(), "fake defect of the store");
  EXPECT_EQ(store_.fetches(), 1);
  EXPECT_THAT(log_, testing::IsEmpty());
}

TEST_F(SnapshotCacheTest, TurnsAnExceptionOfTheBackendIntoAnErrorWithoutItsText) {
  store_.Throw();
  const Status started = Make().Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(started.error().reason(), testing::Not(HasSubstr("fake detail")));
}

TEST_F(SnapshotCacheTest, FetchesOnceForAThousandSimultaneousMisses) {
  Make();
  store_.Block(true);
  constexpr int kReaders = 1000;
  std::latch ready(kReaders);
  std::atomic<int> right{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      ready.arrive_and_wait();
      if (Value() == "fake-1") ++right;
    });
  }
  ready.wait();
  store_.AwaitFetches(1);
  store_.Block(false);
  readers.clear();
  EXPECT_EQ(right, kReaders);
  EXPECT_EQ(store_.fetches(), 1);
}

TEST_F(SnapshotCacheTest, GivesReadersWholeSnapshotsWhileTheySwap) {
  Started();
  std::atomic<bool> done{false};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 64; ++i) {
    readers.emplace_back([&, i] {
      SnapshotCache::Reader reader(*cache_);
      while (!done) {
        if (i % 2 == 0) {
          auto current = reader.Current();
          ASSERT_TRUE(current);
          // Version and value are written together, so they have to be read together.
          const std::string expected = "fake-" + (*current)->version();
          ASSERT_TRUE((*current)->Find("KEY")->ConstantTimeEquals(expected));
        } else {
          auto found = cache_->Find("KEY");
          ASSERT_TRUE(found && *found);
          ASSERT_TRUE((*found)->Reveal().starts_with("fake-"));
        }
      }
    });
  }
  for (int version = 2; version < 200; ++version) {
    store_.Set(std::to_string(version), "fake-" + std::to_string(version));
    ASSERT_TRUE(cache_->Refresh());
  }
  done = true;
}

TEST_F(SnapshotCacheTest, LetsGoOfTheOldSnapshot) {
  Started();
  auto current = cache_->Current();
  ASSERT_TRUE(current);
  const std::weak_ptr<const Snapshot> old = *current;
  current = std::shared_ptr<const Snapshot>();
  store_.Set("2", "fake-2");
  ASSERT_TRUE(cache_->Refresh());
  EXPECT_TRUE(old.expired());
}

TEST_F(SnapshotCacheTest, TellsSubscribersOfOtherVersionsAndValuesOnly) {
  Started();
  std::mutex mutex;
  std::condition_variable told;
  std::vector<std::string> versions;
  const auto subscription = cache_->Subscribe([&](const Snapshot& before, const Snapshot& after) {
    const std::lock_guard lock(mutex);
    versions.push_back(before.version() + "->" + after.version());
    told.notify_all();
  });
  ASSERT_TRUE(cache_->Refresh());  // the same again
  store_.Set("2", "fake-1");
  ASSERT_TRUE(cache_->Refresh());
  store_.Set("2", "fake-2");
  ASSERT_TRUE(cache_->Refresh());
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return versions.size() == 2; });
  EXPECT_THAT(versions, testing::ElementsAre("1->2", "2->2"));
}

TEST_F(SnapshotCacheTest, RefreshesSparingly) {
  Make();
  ASSERT_TRUE(cache_->Start());
  store_.Set("2", "fake-2");
  ASSERT_TRUE(cache_->RefreshSparingly(seconds(1), seconds(10)));
  EXPECT_EQ(store_.fetches(), 2);
  EXPECT_EQ((*cache_->Current())->version(), "2");
  EXPECT_EQ(cache_->RefreshSparingly(seconds(1), seconds(10)).error().code(), ErrorCode::kTryAgain);
  clock_->Advance(seconds(10));
  ASSERT_TRUE(cache_->RefreshSparingly(seconds(1), seconds(10)));
  EXPECT_EQ(store_.fetches(), 3);
}

TEST_F(SnapshotCacheTest, DoesNotHurryAStoreThatFails) {
  Make();
  ASSERT_TRUE(cache_->Start());
  store_.Fail(kTransient);
  EXPECT_EQ(cache_->RefreshSparingly(seconds(1), seconds(0)).error().code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(store_.fetches(), 2);
  // The retry is planned for a twentieth of the TTL later, with the highest chance.
  EXPECT_EQ(cache_->RefreshSparingly(seconds(1), seconds(0)).error().code(), ErrorCode::kTryAgain);
  EXPECT_EQ(store_.fetches(), 2);
}

TEST_F(SnapshotCacheTest, GoesOnWithARefreshThatNobodyWaitsFor) {
  Make();
  ASSERT_TRUE(cache_->Start());
  store_.Block(true);
  store_.Set("2", "fake-2");
  const auto ask = [&] { return cache_->RefreshSparingly(seconds(1), seconds(0)); };
  std::thread first([&] { EXPECT_EQ(ask().error().code(), ErrorCode::kTryAgain); });
  store_.AwaitFetches(2);
  clock_->Advance(seconds(1));
  first.join();
  // Those who come later wait no longer than the first did: not at all.
  EXPECT_EQ(ask().error().code(), ErrorCode::kTryAgain);
  store_.Block(false);
  while ((*cache_->Current())->version() != "2") std::this_thread::yield();
  EXPECT_EQ(store_.fetches(), 2);
}

TEST_F(SnapshotCacheTest, MakesNoCallbackWaitForItself) {
  Make();
  ASSERT_TRUE(cache_->Start());
  std::atomic<bool> was_refused = false;
  const auto subscription = cache_->Subscribe([&](const Snapshot&, const Snapshot&) {
    was_refused = !cache_->RefreshSparingly(hours(1), seconds(0));
  });
  store_.Set("2", "fake-2");
  ASSERT_TRUE(cache_->Refresh());
  while (!was_refused) std::this_thread::yield();
}

TEST_F(SnapshotCacheTest, NeedsNoRefreshWhereEveryReadFetches) {
  Make({.ttl = seconds(0)});
  ASSERT_TRUE(cache_->Start());
  EXPECT_EQ(cache_->RefreshSparingly(seconds(1), seconds(10)).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(store_.fetches(), 1);
}

TEST_F(SnapshotCacheTest, RefreshesSparinglyInAForkedChildToo) {
  Make();
  ASSERT_TRUE(cache_->Start());
  ASSERT_TRUE(cache_->RefreshSparingly(seconds(1), seconds(0)));  // the thread runs
  const pid_t child = fork();
  if (child == 0) {
    store_.Set("2", "fake-2");
    const bool refreshed = cache_->RefreshSparingly(seconds(1), seconds(0)).has_value();
    _exit(refreshed && (*cache_->Current())->version() == "2" ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(SnapshotCacheTest, EndsWithARefreshInFlight) {
  Started();
  clock_->Advance(seconds(300));
  store_.Block(true);
  EXPECT_EQ(Value(), "fake-1");
  store_.AwaitFetches(2);
  std::jthread nudger([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      store_.Nudge();
      std::this_thread::yield();
    }
  });
  cache_.reset();
}

TEST_F(SnapshotCacheTest, LetsAWaitingReaderGoWhenItEnds) {
  Make();
  store_.Block(true);
  std::jthread fetching([this] { Value(); });
  store_.AwaitFetches(1);
  std::string second;
  std::latch begun(1);
  std::jthread waiting([&] {
    begun.count_down();
    second = Value();
  });
  begun.wait();
  std::jthread nudger([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      store_.Nudge();
      std::this_thread::yield();
    }
  });
  store_.Block(false);
  fetching.join();
  waiting.join();
  cache_.reset();
  EXPECT_EQ(second, "fake-1");
}

}  // namespace
}  // namespace qarion::secrets::cache
