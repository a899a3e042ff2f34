// What keeps a token alive, and what follows it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/session_test_base.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kNotRenewable[] = R"(,"renewable":false)";

class SessionLifecycle : public test::SessionTestBase {
 protected:
  // Turns the clock to the end of what the upkeep waits for, which nothing happens before: a day
  // where there is nothing to do.
  Seconds IdleTime() {
    const Seconds before = Now();
    clock_.fake().AdvanceToNextDeadline();
    return Now() - before;
  }
};

// `chance` at either end of its range and between.
class SessionRenewal : public SessionLifecycle, public testing::WithParamInterface<double> {};

TEST_P(SessionRenewal, ComesWhenHalfToTwoThirdsOfTheLeaseAreOver) {
  Begin({{"login", {Grant("fake-1", 1200)}}, {"renew-self", {Renewal(1200)}}}, GetParam());
  BeginUpkeep();
  const Seconds at = TurnUntil("renew-self", 1);
  EXPECT_GE(at, Seconds(600));
  EXPECT_LE(at, Seconds(800));
  EXPECT_EQ(Seen().back().token, "fake-1");
}

// The server decides what a renewal brings.
TEST_P(SessionRenewal, CountsTheNextLeaseFromItself) {
  Begin({{"login", {Grant("fake-1", 1200)}}, {"renew-self", {Renewal(900), Renewal(2400)}}},
        GetParam());
  BeginUpkeep();
  const Seconds first = TurnUntil("renew-self", 1);
  const Seconds second = TurnUntil("renew-self", 2);
  EXPECT_GE(second - first, Seconds(450));
  EXPECT_LE(second - first, Seconds(600));
  const Seconds third = TurnUntil("renew-self", 3);
  EXPECT_GE(third - second, Seconds(1200));
  EXPECT_LE(third - second, Seconds(1600));
  EXPECT_EQ(Count("login"), 1);
}

TEST_P(SessionRenewal, IsTriedAgainAtAPartOfWhatIsLeft) {
  Begin({{"login", {Grant("fake-1", 1200)}}, {"renew-self", {Refusal(503)}}}, GetParam());
  BeginUpkeep();
  Seconds last = TurnUntil("renew-self", 1);
  for (int tried = 2; tried <= 12; ++tried) {
    const Seconds at = TurnUntil("renew-self", tried);
    EXPECT_GE(at - last, milliseconds(100)) << tried;
    EXPECT_LE(at - last, (Seconds(1200) - last) / 2) << tried;
    EXPECT_LT(at, Seconds(1200)) << tried;
    EXPECT_EQ(Token(), "fake-1");
    last = at;
  }
  EXPECT_EQ(Count("login"), 1);
}

TEST_P(SessionRenewal, GivesWayToALoginWhereItLeavesLittle) {
  Begin({{"login", {Grant("fake-1", 1200), Grant("fake-2", 1200)}}, {"renew-self", {Renewal(60)}}},
        GetParam());
  BeginUpkeep();
  const Seconds renewed = TurnUntil("renew-self", 1);
  const Seconds at = TurnUntil("login", 2);
  EXPECT_GT(at, renewed);
  EXPECT_LT(at - renewed, Seconds(60)) << "the token had expired";
  EXPECT_EQ(Count("renew-self"), 1);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Token(), "fake-2");
  EXPECT_THAT(Held(), testing::UnorderedElementsAre("fake-password", "fake-2"));
  EXPECT_EQ(Count("login"), 2);
}

INSTANTIATE_TEST_SUITE_P(Chance, SessionRenewal, testing::Values(0.0, 0.5, 0.999999),
                         [](const auto& tested) { return std::to_string(tested.index); });

TEST_F(SessionLifecycle, RenewsNoSoonerThanAfterHalfAndSpreadsIt) {
  Begin({{"login", {Grant("fake-1", 1200)}}, {"renew-self", {Renewal(1200)}}}, 0.0);
  BeginUpkeep();
  const Seconds earliest = TurnUntil("renew-self", 1);
  EXPECT_EQ(earliest, Seconds(600));
}

TEST_F(SessionLifecycle, RenewsNoLaterThanAfterTwoThirds) {
  Begin({{"login", {Grant("fake-1", 1200)}}, {"renew-self", {Renewal(1200)}}}, 0.999999);
  BeginUpkeep();
  EXPECT_NEAR(TurnUntil("renew-self", 1).count(), 800, 1);
}

TEST_F(SessionLifecycle, KeepsATokenThatIsRenewedAgainAfterFailures) {
  Begin({{"login", {Grant("fake-1", 1200)}},
         {"renew-self", {Refusal(503), Refusal(429), {200, "no JSON"}, Renewal(1200)}}});
  BeginUpkeep();
  const Seconds at = TurnUntil("renew-self", 4);
  EXPECT_LT(at, Seconds(1200));
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_GE(TurnUntil("renew-self", 5) - at, Seconds(600));
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_GT(Now(), Seconds(1200));
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_EQ(Count("login"), 1);
}

TEST_F(SessionLifecycle, TriesARenewalAgainAFewTimesASecondAtMost) {
  Begin({{"login", {Grant("fake-1", 10)}}, {"renew-self", {Refusal(503)}}});
  BeginUpkeep();
  Seconds last = TurnUntil("renew-self", 1);
  for (int tried = 2; last < Seconds(9.5); ++tried) {
    const Seconds at = TurnUntil("renew-self", tried);
    ASSERT_GT(at - last, milliseconds(99)) << tried;
    last = at;
  }
}

TEST_F(SessionLifecycle, EndsATokenWithTheLeaseThatItsRenewalBrought) {
  Begin({{"login", {Grant("fake-1", 1200), Grant("fake-2", 1200)}},
         {"renew-self", {Renewal(900), Refusal(503)}}});
  BeginUpkeep();
  const Seconds renewed = TurnUntil("renew-self", 1);
  TurnUntil("renew-self", 2);
  ASSERT_TRUE(WaitersAre(1));
  const auto left = std::chrono::duration_cast<milliseconds>(renewed + Seconds(900) - Now());
  Turn(left - milliseconds(1));
  EXPECT_EQ(Token(), "fake-1");
  Turn(milliseconds(1));
  EXPECT_EQ(Token(), "fake-2");
}

TEST_F(SessionLifecycle, LogsInAtOnceWhereARenewalIsRefused) {
  Begin(
      {{"login", {Grant("fake-1", 1200), Grant("fake-2", 1200)}}, {"renew-self", {Refusal(403)}}});
  BeginUpkeep();
  const Seconds refused = TurnUntil("renew-self", 1);
  EXPECT_EQ(TurnUntil("login", 2), refused);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Token(), "fake-2");
  EXPECT_EQ(Count("login"), 2);
}

TEST_F(SessionLifecycle, LogsInAheadInsteadOfRenewingWhatCannotBeRenewed) {
  Begin({{"login", {Grant("fake-1", 1200, kNotRenewable), Grant("fake-2", 1200)}}});
  BeginUpkeep();
  const Seconds at = TurnUntil("login", 2);
  EXPECT_GE(at, Seconds(600));
  EXPECT_LT(at, Seconds(1200));
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Token(), "fake-2");
  EXPECT_EQ(Count("renew-self"), 0);
}

TEST_F(SessionLifecycle, ServesTheOldTokenWhileALoginAheadFails) {
  Begin({{"login",
          {Grant("fake-1", 1200, kNotRenewable), Refusal(503), Refusal(503),
           Grant("fake-2", 1200)}}});
  BeginUpkeep();
  for (const int failed : {2, 3}) {
    TurnUntil("login", failed);
    ASSERT_TRUE(WaitersAre(1));
    EXPECT_EQ(Token(), "fake-1");
    EXPECT_EQ(Count("login"), failed);
  }
  EXPECT_LT(TurnUntil("login", 4), Seconds(1200));
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Token(), "fake-2");
}

TEST_F(SessionLifecycle, OffersRefusedCredentialsSeldomWhileTheOldTokenServes) {
  Begin({{"login", {Grant("fake-1", 100, kNotRenewable), Refusal(400)}}});
  BeginUpkeep();
  Seconds last = TurnUntil("login", 2);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Token(), "fake-1");
  const Seconds next = TurnUntil("login", 3);
  EXPECT_GE(next - last, Seconds(5));
  EXPECT_LT(next, Seconds(100));
  last = next;
  EXPECT_GE(TurnUntil("login", 4) - last, Seconds(10));
}

TEST_F(SessionLifecycle, RenewsNothingThatDoesNotExpire) {
  Begin({{"login", {Grant("fake-1", 0)}}});
  BeginUpkeep();
  EXPECT_GE(IdleTime(), hours(24));
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_EQ(Count("login") + Count("leader"), static_cast<int>(Seen().size()));
  EXPECT_EQ(Count("login"), 1);
}

// Each request would use it up.
TEST_F(SessionLifecycle, NeitherRenewsNorLooksUpATokenOfFewUses) {
  Begin({{"login", {Grant("fake-1", 1200, R"(,"num_uses":5)"), Grant("fake-2", 1200)}}});
  BeginUpkeep();
  EXPECT_GE(IdleTime(), hours(24));
  EXPECT_EQ(Token(), "fake-2");
  EXPECT_EQ(Count("renew-self") + Count("lookup-self"), 0);
  for (const Request& request : Seen()) EXPECT_EQ(request.token, "");
}

TEST_F(SessionLifecycle, BeginsNoUpkeepForACommandThatEndsAtOnce) {
  Begin({{"login", {Grant("fake-1", 1200)}}});
  auto token = session_->Token(Soon());
  ASSERT_TRUE(token);
  session_->Accepted(*token);
  ASSERT_TRUE(WaitersAre(1));
  Turn(milliseconds(400));
  session_.reset();
  EXPECT_EQ(Seen().size(), 1u);
}

// A token that the operator gave.
class GivenToken : public SessionLifecycle {
 protected:
  void BeginWith(Script script) {
    Begin(std::move(script), 0, {{"VAULT_TOKEN", "fake-given"}});
    BeginUpkeep();
  }
};

TEST_F(GivenToken, IsLookedUpOnceAndRenewed) {
  BeginWith({{"lookup-self", {LookUp(1200)}}, {"renew-self", {Renewal(1200)}}});
  const Seconds known = TurnUntil("lookup-self", 1);
  EXPECT_LE(known, Seconds(1));
  for (int renewal = 1; renewal <= 3; ++renewal) TurnUntil("renew-self", renewal);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_EQ(Count("lookup-self"), 1);
  EXPECT_EQ(Token(), "fake-given");
  for (const Request& request : Seen()) {
    EXPECT_EQ(request.token, request.kind == "leader" ? "" : "fake-given") << request.kind;
  }
}

TEST_F(GivenToken, IsRenewedByWhatIsLeftOfIt) {
  BeginWith({{"lookup-self", {LookUp(90)}}, {"renew-self", {Renewal(1200)}}});
  const Seconds known = TurnUntil("lookup-self", 1);
  const Seconds renewed = TurnUntil("renew-self", 1);
  EXPECT_GE(renewed - known, Seconds(45));
  EXPECT_LE(renewed - known, Seconds(60));
}

TEST_F(GivenToken, IsRenewedThoughLittleIsLeftOfIt) {
  BeginWith({{"lookup-self", {LookUp(1)}}, {"renew-self", {Renewal(1200), Renewal(1)}}});
  const Seconds known = TurnUntil("lookup-self", 1);
  EXPECT_LE(TurnUntil("renew-self", 1) - known, Seconds(1));
  TurnUntil("renew-self", 2);
  // What a renewal leaves of a token at its maximum is not worth another one.
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_GE(IdleTime(), hours(24));
  EXPECT_EQ(Count("renew-self"), 2);
}

TEST_F(GivenToken, IsNotLookedUpAgainWhereItMayNot) {
  BeginWith({{"lookup-self", {Refusal(403)}}});
  TurnUntil("lookup-self", 1);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_GE(IdleTime(), hours(24));
  EXPECT_EQ(Count("lookup-self"), 1);
  EXPECT_EQ(Token(), "fake-given");
}

TEST_F(GivenToken, IsLookedUpAgainAfterAFailure) {
  BeginWith({{"lookup-self", {Refusal(503), LookUp(1200)}}, {"renew-self", {Renewal(1200)}}});
  const Seconds failed = TurnUntil("lookup-self", 1);
  EXPECT_LE(TurnUntil("lookup-self", 2) - failed, Seconds(60));
  TurnUntil("renew-self", 1);
  EXPECT_EQ(Count("lookup-self"), 2);
}

TEST_F(GivenToken, IsNotRenewedAgainAfterARefusal) {
  BeginWith({{"lookup-self", {LookUp(1200)}}, {"renew-self", {Refusal(403)}}});
  TurnUntil("renew-self", 1);
  ASSERT_TRUE(WaitersAre(1));
  EXPECT_GE(IdleTime(), hours(24));
  EXPECT_EQ(Count("renew-self"), 1);
}

// There is nothing else that could replace it.
TEST_F(GivenToken, IsRenewedEvenWhereThatBringsLittle) {
  BeginWith({{"lookup-self", {LookUp(1200)}}, {"renew-self", {Renewal(60), Renewal(30)}}});
  TurnUntil("renew-self", 1);
  EXPECT_LE(TurnUntil("renew-self", 2), Seconds(660));
  TurnUntil("renew-self", 3);
}

}  // namespace
}  // namespace qarion::secrets::vault
