#include "jwt/rotation_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "jwt/key_ring.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Keys nobody has, and of 32 bytes each.
constexpr std::string_view kOld = "fake-old-kfjw83hfna92lx0vbqpdm4t";
constexpr std::string_view kNew = "fake-new-9zqx7cbdmrg51yhskw02plt";
constexpr std::string_view kOther = "fake-oth-5gtwq8vnzk3rj6yxbm1dhcs";

// 2026-01-01T00:00:00Z
constexpr Time kMade{seconds(1767225600)};

Secret Key(std::string_view bytes) { return Secret::CopyOf(bytes); }

// Times as they are where nobody sets any, and a token life of half an hour.
RotationState StateOf(Keys keys) {
  return {.keys = std::move(keys),
          .made_at = kMade,
          .times = {.cache_ttl = seconds(300),
                    .max_stale = seconds(3600),
                    .lifetime = seconds(1800),
                    .leeway = seconds(60)},
          .now = kMade + seconds(10)};
}

RotationState Idle() { return StateOf({.current = Key(kOld)}); }
RotationState Announced() { return StateOf({.current = Key(kOld), .next = Key(kNew)}); }
RotationState Promoted() { return StateOf({.current = Key(kNew), .previous = Key(kOld)}); }
RotationState TwoAtOnce() {
  return StateOf({.current = Key(kNew), .previous = Key(kOld), .next = Key(kOther)});
}

std::vector<std::string> Changes(const RotationAdvice& advice) {
  std::vector<std::string> changes;
  for (const auto& [key, value] : advice.changes) {
    changes.push_back(std::string(FieldOf(key)) + "=" +
                      (value == NewValue::kNewKey      ? "new"
                       : value == NewValue::kOfCurrent ? "current"
                       : value == NewValue::kOfNext    ? "next"
                                                       : ""));
  }
  return changes;
}

MATCHER_P2(IsError, subject, words, "") {
  return arg.severity == Severity::kError && arg.subject == subject &&
         arg.problem.find(words) != std::string::npos && !arg.cure.empty();
}
MATCHER_P2(IsWarning, subject, words, "") {
  return arg.severity == Severity::kWarning && arg.subject == subject &&
         arg.problem.find(words) != std::string::npos && !arg.cure.empty();
}

TEST(RotationAdvice, BeginsWithANewKeyThatOnlyVerifies) {
  const RotationAdvice advice = Advise(Idle());
  EXPECT_EQ(advice.stage, RotationStage::kIdle);
  EXPECT_THAT(advice.findings, IsEmpty());
  EXPECT_THAT(Changes(advice), ElementsAre("SECRET_KEY_NEXT=new"));
  EXPECT_EQ(advice.safe_at, kMade + seconds(10));
}

TEST(RotationAdvice, PromotesWhenTheLastReplicaKnowsTheKey) {
  const RotationAdvice advice = Advise(Announced());
  EXPECT_EQ(advice.stage, RotationStage::kAnnounced);
  EXPECT_THAT(advice.findings, IsEmpty());
  EXPECT_THAT(Changes(advice),
              ElementsAre("SECRET_KEY_PREVIOUS=current", "SECRET_KEY=next", "SECRET_KEY_NEXT="));
  // 300 + 3600 + 30
  EXPECT_EQ(advice.safe_at, kMade + seconds(3930));
  EXPECT_EQ(advice.because,
            "version made 2026-01-01T00:00:00Z + 300 s (SECRETS_CACHE_TTL) + 3600 s "
            "(SECRETS_MAX_STALE) + 30 s (a fetch under way)");
}

TEST(RotationAdvice, RetiresWhenTheLastTokenHasExpired) {
  const RotationAdvice advice = Advise(Promoted());
  EXPECT_EQ(advice.stage, RotationStage::kPromoted);
  EXPECT_THAT(advice.findings, IsEmpty());
  EXPECT_THAT(Changes(advice), ElementsAre("SECRET_KEY_PREVIOUS="));
  // 300 + 3600 + 30 + 1800 + 60 + 60
  EXPECT_EQ(advice.safe_at, kMade + seconds(5850));
  EXPECT_THAT(advice.because,
              HasSubstr("+ 1800 s (life of tokens) + 60 s (leeway) + 60 s (a clock ahead)"));
}

TEST(RotationAdvice, AllowsForClocksAsFarApartAsVerifiersDo) {
  RotationState state = Promoted();
  state.times.leeway = seconds(0);
  EXPECT_EQ(Advise(state).safe_at, kMade + seconds(3930 + 1800 + 0 + 60));
  state.times.leeway = seconds(90);
  EXPECT_EQ(Advise(state).safe_at, kMade + seconds(3930 + 1800 + 90 + 90));
}

TEST(RotationAdvice, NeedsNoStaleLimitWhereEachReadFetches) {
  RotationState state = Announced();
  state.times.cache_ttl = seconds(0);
  EXPECT_EQ(Advise(state).safe_at, kMade + seconds(30));
  state = Promoted();
  state.times.cache_ttl = seconds(0);
  EXPECT_EQ(Advise(state).safe_at, kMade + seconds(30 + 1800 + 60 + 60));
}

TEST(RotationAdvice, CountsFromNowWhereTheStoreDoesNotTell) {
  RotationState state = Announced();
  state.made_at.reset();
  const RotationAdvice advice = Advise(state);
  EXPECT_EQ(advice.safe_at, kMade + seconds(10 + 3930));
  EXPECT_THAT(advice.because, HasSubstr("the backend does not tell"));
}

TEST(RotationAdvice, CountsFromWhatTheUserSays) {
  RotationState state = Announced();
  state.made_at_is_given = true;
  const RotationAdvice advice = Advise(state);
  EXPECT_EQ(advice.safe_at, kMade + seconds(3930));
  EXPECT_THAT(advice.because, HasSubstr("2026-01-01T00:00:00Z (--since)"));
}

TEST(RotationAdvice, SaysWhatItTakesForTheTimeAVersionBecameCurrent) {
  RotationState state = Announced();
  state.becomes_current_later = true;
  EXPECT_THAT(Advise(state).because,
              HasSubstr("made 2026-01-01T00:00:00Z, if it became current then (else give "
                        "--since), + 300 s"));
  state.made_at_is_given = true;
  EXPECT_THAT(Advise(state).because, Not(HasSubstr("became current")));
}

TEST(RotationAdvice, WaitsForRestartsWhereKeysAreVariables) {
  RotationState state = Promoted();
  state.needs_restart = true;
  state.made_at.reset();
  const RotationAdvice unknown = Advise(state);
  EXPECT_EQ(unknown.safe_at, std::nullopt);
  EXPECT_THAT(unknown.because, HasSubstr("when the last of them was restarted"));
  EXPECT_THAT(unknown.because, HasSubstr("add 1800 s (life of tokens) + 60 s (leeway)"));
  // The last restart is given: no cache comes in between.
  state.made_at = kMade;
  state.made_at_is_given = true;
  EXPECT_EQ(Advise(state).safe_at, kMade + seconds(1920));
}

TEST(RotationAdvice, SaysThatThePreviousKeyWasForgotten) {
  RotationState state = Promoted();
  state.now = kMade + seconds(5850) + hours(24) - seconds(1);
  EXPECT_THAT(Advise(state).findings, IsEmpty());
  state.now += seconds(1);
  EXPECT_THAT(Advise(state).findings,
              ElementsAre(IsWarning("SECRET_KEY_PREVIOUS", "is still set, 1 d after")));
}

TEST(RotationAdvice, StopsASecondRotationBeforeTheFirstIsOver) {
  RotationState state = TwoAtOnce();
  state.now = kMade + seconds(5849);
  RotationAdvice advice = Advise(state);
  EXPECT_EQ(advice.stage, RotationStage::kTwoAtOnce);
  EXPECT_THAT(advice.findings, ElementsAre(IsError("SECRET_KEY_NEXT", "before the last one")));
  EXPECT_THAT(Changes(advice), ElementsAre("SECRET_KEY_PREVIOUS="));
  EXPECT_EQ(advice.safe_at, kMade + seconds(5850));

  state.now = kMade + seconds(5850);
  advice = Advise(state);
  EXPECT_THAT(advice.findings, ElementsAre(IsWarning("SECRET_KEY_NEXT", "before the last one")));
  EXPECT_THAT(Changes(advice), ElementsAre("SECRET_KEY_PREVIOUS="));
}

TEST(RotationAdvice, MissesTheCurrentKey) {
  const RotationAdvice nothing = Advise(StateOf({}));
  EXPECT_EQ(nothing.stage, RotationStage::kUnknown);
  EXPECT_THAT(nothing.findings, ElementsAre(IsError("SECRET_KEY", "is not set")));
  EXPECT_THAT(nothing.changes, IsEmpty());
  EXPECT_EQ(nothing.safe_at, std::nullopt);
  EXPECT_THAT(Advise(StateOf({.current = {}, .next = Key(kNew)})).findings,
              ElementsAre(IsError("SECRET_KEY_NEXT", "SECRET_KEY is not")));
  EXPECT_THAT(Advise(StateOf({.current = {}, .previous = Key(kOld)})).findings,
              ElementsAre(IsError("SECRET_KEY_PREVIOUS", "SECRET_KEY is not")));
}

TEST(RotationAdvice, FindsKeysThatAreTheSame) {
  const RotationAdvice previous = Advise(StateOf({.current = Key(kOld), .previous = Key(kOld)}));
  EXPECT_THAT(previous.findings,
              ElementsAre(IsError("SECRET_KEY_PREVIOUS", "is the same key as SECRET_KEY")));
  EXPECT_EQ(previous.next, "mend the errors");
  EXPECT_THAT(previous.changes, IsEmpty());
  EXPECT_THAT(Advise(StateOf({.current = Key(kOld), .next = Key(kOld)})).findings,
              ElementsAre(IsError("SECRET_KEY_NEXT", "is the same key as SECRET_KEY")));
  EXPECT_THAT(
      Advise(StateOf({.current = Key(kNew), .previous = Key(kOld), .next = Key(kOld)})).findings,
      ElementsAre(IsError("SECRET_KEY_NEXT", "is the same key as SECRET_KEY_PREVIOUS")));
}

TEST(RotationAdvice, RefusesToPromoteAWeakKey) {
  const RotationAdvice advice = Advise(StateOf({.current = Key(kOld), .next = Key("short")}));
  EXPECT_THAT(advice.findings, ElementsAre(IsError("SECRET_KEY_NEXT", "")));
  EXPECT_THAT(advice.changes, IsEmpty());
}

TEST(RotationAdvice, LeadsAwayFromAWeakKey) {
  const RotationAdvice idle = Advise(StateOf({.current = Key("short")}));
  EXPECT_THAT(idle.findings, ElementsAre(IsError("SECRET_KEY", "")));
  EXPECT_THAT(Changes(idle), ElementsAre("SECRET_KEY_NEXT=new"));
  const RotationAdvice promoted = Advise(StateOf({.current = Key(kNew), .previous = Key("short")}));
  EXPECT_THAT(promoted.findings, ElementsAre(IsWarning("SECRET_KEY_PREVIOUS", "")));
  EXPECT_THAT(Changes(promoted), ElementsAre("SECRET_KEY_PREVIOUS="));
}

TEST(RotationAdvice, WantsKeysAsLongAsTheHash) {
  RotationState state = Idle();
  state.algorithm = Algorithm::kHs512;  // 64 bytes
  EXPECT_THAT(Advise(state).findings, ElementsAre(IsError("SECRET_KEY", "")));
}

TEST(RotationAdvice, ShowsNoKey) {
  for (const RotationState& state : {Idle(), TwoAtOnce(), Promoted()}) {
    for (const RotationAdvice& advice : {Advise(state), AdviseAfterLeak(state)}) {
      std::string shown = advice.next + advice.because;
      for (const Finding& finding : advice.findings) shown += finding.problem + finding.cure;
      for (const std::string_view key : {kOld, kNew, kOther}) {
        EXPECT_EQ(shown.find(key), std::string::npos);
      }
    }
  }
}

TEST(RotationAdviceAfterLeak, LeavesNoOverlap) {
  RotationState state = TwoAtOnce();
  const RotationAdvice advice = AdviseAfterLeak(state);
  EXPECT_THAT(Changes(advice),
              ElementsAre("SECRET_KEY=new", "SECRET_KEY_PREVIOUS=", "SECRET_KEY_NEXT="));
  EXPECT_EQ(advice.safe_at, state.now);
  // 3930 s
  EXPECT_THAT(advice.because, HasSubstr("at the latest 1 h 5 min after that was made"));
  EXPECT_THAT(advice.next, HasSubstr("restart every running replica, and revoke sessions"));
}

TEST(RotationAdviceAfterLeak, FindsMistakesToo) {
  const RotationAdvice advice =
      AdviseAfterLeak(StateOf({.current = Key("short"), .previous = Key(kOld), .next = Key(kOld)}));
  EXPECT_THAT(advice.findings, ElementsAre(IsError("SECRET_KEY_NEXT", "is the same key"),
                                           IsError("SECRET_KEY", "")));
  EXPECT_THAT(Changes(advice),
              ElementsAre("SECRET_KEY=new", "SECRET_KEY_PREVIOUS=", "SECRET_KEY_NEXT="));
}

TEST(DurationText, HasTheTwoLargestUnits) {
  EXPECT_EQ(DurationText(seconds(0)), "0 s");
  EXPECT_EQ(DurationText(seconds(59)), "59 s");
  EXPECT_EQ(DurationText(seconds(61)), "1 min 1 s");
  EXPECT_EQ(DurationText(seconds(3600)), "1 h");
  EXPECT_EQ(DurationText(seconds(3659)), "1 h");
  EXPECT_EQ(DurationText(seconds(3660)), "1 h 1 min");
  EXPECT_EQ(DurationText(hours(49)), "2 d 1 h");
}

}  // namespace
}  // namespace qarion::secrets::jwt
