#include "net/retry.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/fake_clock.h"

namespace qarion::secrets::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class FixedRandom final : public core::Random {
 public:
  double Uniform() override { return value; }
  double value = 0;
};

HttpResponse Answer(int status, std::string retry_after = "") {
  HttpResponse response;
  response.status = status;
  if (!retry_after.empty()) {
    response.headers.push_back({"retry-after", Secret::CopyOf(retry_after)});
  }
  return response;
}

Attempt Failed(ErrorCode code, bool timed_out = false) {
  return {Error(code, "fake failure"), timed_out};
}

class RetryTest : public testing::Test {
 protected:
  // Sends what `script` says in order, time being turned as fast as somebody waits for it.
  Result<HttpResponse> Run(std::vector<Attempt> script) {
    script_ = std::move(script);
    const auto begin = clock_.SteadyNow();
    std::jthread turner([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        clock_.AdvanceToNextDeadline();
        std::this_thread::yield();
      }
    });
    auto result = SendWithRetries(
        [this](int attempt) {
          attempts_ = attempt;
          return std::move(script_.at(static_cast<std::size_t>(attempt) - 1));
        },
        policy_,
        {.clock = clock_,
         .random = random_,
         .budget = budget_,
         .deadline = begin + time_,
         .stop = stop_.get_token()});
    turner.request_stop();
    turner.join();
    waited_ = clock_.SteadyNow() - begin;
    return result;
  }

  template <typename... Attempts>
  static std::vector<Attempt> Script(Attempts... attempts) {
    std::vector<Attempt> script;
    (script.push_back(std::move(attempts)), ...);
    return script;
  }
  static Attempt Gives(int status, std::string retry_after = "") {
    return {Answer(status, std::move(retry_after))};
  }

  core::FakeClock clock_;
  FixedRandom random_;
  RetryBudget budget_;
  RetryPolicy policy_;
  nanoseconds time_ = seconds(60);
  std::stop_source stop_;
  std::vector<Attempt> script_;
  int attempts_ = 0;
  nanoseconds waited_{};
};

TEST_F(RetryTest, ReturnsAnAnswerThatIsNotWorthAnotherTry) {
  for (const int status : {200, 204, 307, 400, 403, 404, 501}) {
    EXPECT_EQ(Run(Script(Gives(status)))->status, status);
    EXPECT_EQ(attempts_, 1);
  }
  EXPECT_EQ(waited_, nanoseconds(0));
}

TEST_F(RetryTest, TriesAgainAfterStatusesAndFailuresThatPass) {
  EXPECT_EQ(Run(Script(Gives(503), Failed(ErrorCode::kUnavailable), Gives(200)))->status, 200);
  EXPECT_EQ(attempts_, 3);
  EXPECT_EQ(waited_, milliseconds(500 + 1000));  // the lower ends of [0.5, 1] and [1, 2] seconds
}

TEST_F(RetryTest, GivesTheLastAnswerWhereNoAttemptIsLeft) {
  EXPECT_EQ(Run(Script(Gives(500), Gives(502), Gives(503)))->status, 503);
  EXPECT_EQ(attempts_, policy_.most_attempts);
}

TEST_F(RetryTest, DoesNotRepeatWhatWouldFailAgain) {
  const auto result = Run(Script(Failed(ErrorCode::kConfiguration)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(attempts_, 1);
}

TEST_F(RetryTest, WaitsAsLongAsTheServerAsks) {
  EXPECT_EQ(Run(Script(Gives(429, "7"), Gives(200)))->status, 200);
  EXPECT_EQ(waited_, seconds(7));
}

TEST_F(RetryTest, WaitsNoShorterThanItsOwnPause) {
  Run(Script(Gives(429, "0"), Gives(200))).value();
  EXPECT_EQ(waited_, milliseconds(500));
}

TEST_F(RetryTest, WaitsNoLongerThanThePolicyAllows) {
  Run(Script(Gives(503, "86400"), Gives(200))).value();
  EXPECT_EQ(waited_, policy_.longest_retry_after);
}

TEST_F(RetryTest, DoesNotBeginAPauseThatReachesTheDeadline) {
  time_ = milliseconds(500);
  EXPECT_EQ(Run(Script(Gives(503)))->status, 503);
  EXPECT_EQ(attempts_, 1);
  EXPECT_EQ(waited_, nanoseconds(0));
}

TEST_F(RetryTest, StopsInThePause) {
  stop_.request_stop();
  const auto result = Run(Script(Gives(503)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
}

TEST_F(RetryTest, TakesRetriesOutOfTheBudgetAndGivesThemBackAfterSuccess) {
  Run(Script(Gives(503), Gives(503), Gives(503))).value();
  EXPECT_EQ(budget_.left(), 500 - 5 - 5);
  Run(Script(Gives(503), Gives(200))).value();
  EXPECT_EQ(budget_.left(), 490);
  Run(Script(Gives(200))).value();
  EXPECT_EQ(budget_.left(), 491);
  EXPECT_FALSE(Run(Script(Failed(ErrorCode::kUnavailable, true), Failed(ErrorCode::kInternal))));
  EXPECT_EQ(budget_.left(), 481);
}

TEST_F(RetryTest, DoesNotRetryWithoutBudget) {
  while (budget_.Take(5)) {
  }
  EXPECT_EQ(Run(Script(Gives(503)))->status, 503);
  EXPECT_EQ(attempts_, 1);
}

TEST(RetryBudget, HoldsNoMoreThanItsCapacity) {
  RetryBudget budget;
  for (int i = 0; i < 10; ++i) budget.Return(0);
  EXPECT_EQ(budget.left(), RetryBudget::kCapacity);
}

TEST(Backoff, DoublesUpToItsLongest) {
  const Backoff backoff{.first = seconds(1), .longest = seconds(5)};
  FixedRandom random;
  const auto pauses = [&] {
    std::vector<nanoseconds> drawn;
    for (const int retry : {1, 2, 3, 4, 5, 1000}) drawn.push_back(backoff.Pause(retry, random));
    return drawn;
  };
  EXPECT_EQ(pauses(),
            (std::vector<nanoseconds>{milliseconds(500), seconds(1), seconds(2), milliseconds(2500),
                                      milliseconds(2500), milliseconds(2500)}));
  random.value = 1;
  EXPECT_EQ(pauses(), (std::vector<nanoseconds>{seconds(1), seconds(2), seconds(4), seconds(5),
                                                seconds(5), seconds(5)}));
}

}  // namespace
}  // namespace qarion::secrets::net
