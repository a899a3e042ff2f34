#include "jwt/rotation_advice.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "cache/snapshot_cache.h"
#include "core/join.h"
#include "core/rfc3339.h"
#include "jwt/key_ring.h"
#include "jwt/policy.h"

namespace qarion::secrets::jwt {
namespace {

using cache::kLongestFetch;
using std::chrono::seconds;

// A previous key that is there so much longer than needed was forgotten.
constexpr seconds kForgottenAfter = std::chrono::hours(24);

std::string TimeText(Time time) { return core::FormatTime(std::chrono::floor<seconds>(time)); }

Finding ErrorAt(KeyRole key, std::string problem, std::string cure) {
  return {Severity::kError, FieldOf(key), std::move(problem), std::move(cure)};
}

// The reason without the name of the setting, which a Finding has on its own.
std::string WithoutName(const std::string& reason, std::string_view name) {
  if (!reason.starts_with(name)) return reason;
  const std::size_t begin = reason.find_first_not_of(": ", name.size());
  return begin == std::string::npos || begin == name.size() ? reason : reason.substr(begin);
}

struct NamedKey {
  KeyRole role;
  const Secret& key;
};

std::array<NamedKey, 3> NamedKeys(const Keys& keys) {
  return {NamedKey{KeyRole::kCurrent, keys.current}, NamedKey{KeyRole::kPrevious, keys.previous},
          NamedKey{KeyRole::kNext, keys.next}};
}

void FindLonely(const Keys& keys, std::vector<Finding>& findings) {
  if (!keys.current.empty()) return;
  for (const NamedKey& other : NamedKeys(keys)) {
    if (other.key.empty()) continue;
    findings.push_back(ErrorAt(other.role, "is set, and SECRET_KEY is not",
                               "set SECRET_KEY to the key that signs; it alone can sign"));
  }
  if (findings.empty()) {
    findings.push_back(
        ErrorAt(KeyRole::kCurrent, "is not set", "set it to a new key (`qsecrets jwt keygen`)"));
  }
}

void FindEqual(const Keys& keys, std::vector<Finding>& findings) {
  const auto equal = [](const Secret& a, const Secret& b) {
    return !a.empty() && a.ConstantTimeEquals(b);
  };
  if (equal(keys.previous, keys.current)) {
    findings.push_back(ErrorAt(KeyRole::kPrevious, "is the same key as SECRET_KEY",
                               "set it to the key that SECRET_KEY was before, while its tokens "
                               "live; else remove it"));
  }
  if (equal(keys.next, keys.current)) {
    findings.push_back(ErrorAt(KeyRole::kNext, "is the same key as SECRET_KEY",
                               "set it to a new key (`qsecrets jwt keygen`), or remove it where it "
                               "was made SECRET_KEY already"));
  }
  if (equal(keys.next, keys.previous)) {
    findings.push_back(ErrorAt(KeyRole::kNext, "is the same key as SECRET_KEY_PREVIOUS",
                               "set it to a new key (`qsecrets jwt keygen`): one that was replaced "
                               "does not come back"));
  }
}

void FindWeak(const RotationState& state, std::vector<Finding>& findings) {
  for (const NamedKey& named : NamedKeys(state.keys)) {
    if (named.key.empty()) continue;
    const char* const field = FieldOf(named.role);
    const Status strong = RefuseWeakKey(named.key, state.algorithm, field);
    if (strong) continue;
    Finding finding =
        ErrorAt(named.role, WithoutName(strong.error().reason(), field), strong.error().cure());
    if (named.role == KeyRole::kPrevious) {
      finding.severity = Severity::kWarning;
      finding.cure =
          "remove it when its tokens have expired; until then only verifiers with "
          "AcceptWeakKeys() take them";
    } else if (named.role == KeyRole::kCurrent) {
      finding.cure = "change it, by the steps below or, if anybody may know it, with --leaked";
    }
    findings.push_back(std::move(finding));
  }
}

RotationStage StageOf(const Keys& keys) {
  if (keys.current.empty()) return RotationStage::kUnknown;
  if (keys.previous.empty()) {
    return keys.next.empty() ? RotationStage::kIdle : RotationStage::kAnnounced;
  }
  return keys.next.empty() ? RotationStage::kPromoted : RotationStage::kTwoAtOnce;
}

// A sum that people can follow, and its result.
class Wait {
 public:
  explicit Wait(const RotationState& state) : state_(state) {
    if (state.needs_restart) return;
    const RotationTimes& times = state.times;
    if (times.cache_ttl > seconds(0)) {
      Add(times.cache_ttl, "SECRETS_CACHE_TTL");
      Add(times.max_stale, "SECRETS_MAX_STALE");
    }
    Add(kLongestFetch, "a fetch under way");
  }

  Wait& Add(seconds time, const std::string& what) {
    sum_ += time;
    terms_.push_back(std::to_string(time.count()) + " s (" + what + ")");
    return *this;
  }

  Wait& AddTokens() {
    return Add(state_.times.lifetime, "life of tokens")
        .Add(state_.times.leeway, "leeway")
        .Add(ClockDifference(state_.times), "a clock ahead");
  }

  void Into(RotationAdvice& advice) const {
    if (state_.needs_restart && !state_.made_at) {
      advice.because =
          "the keys are in the environment of the processes: count from when the last of them was "
          "restarted with them (--since)";
      if (sum_ > seconds(0)) advice.because += ", and add " + core::Join(terms_, " + ");
      return;
    }
    advice.safe_at = state_.made_at.value_or(state_.now) + sum_;
    advice.because = From();
    if (!terms_.empty()) advice.because += " + " + core::Join(terms_, " + ");
  }

 private:
  std::string From() const {
    if (!state_.made_at) {
      return "from now on, as the backend does not tell when this version was made (--since does)";
    }
    const std::string time = TimeText(*state_.made_at);
    if (state_.made_at_is_given) return time + " (--since)";
    const char* const assumed =
        state_.becomes_current_later ? ", if it became current then (else give --since)," : "";
    return "version made " + time + assumed;
  }

  const RotationState& state_;
  seconds sum_{};
  std::vector<std::string> terms_;
};

void AdviseRetiring(const RotationState& state, RotationAdvice& advice) {
  advice.next = "remove SECRET_KEY_PREVIOUS";
  advice.changes = {{KeyRole::kPrevious, NewValue::kNone}};
  Wait(state).AddTokens().Into(advice);
}

void AdviseStep(const RotationState& state, RotationAdvice& advice) {
  switch (advice.stage) {
    case RotationStage::kUnknown: break;
    case RotationStage::kIdle:
      advice.next = "nothing; to begin, announce a new key: set SECRET_KEY_NEXT to it";
      advice.changes = {{KeyRole::kNext, NewValue::kNewKey}};
      advice.safe_at = state.now;
      advice.because = "nobody signs with it yet";
      break;
    case RotationStage::kAnnounced:
      advice.next =
          "promote it, in one new version: SECRET_KEY_PREVIOUS = SECRET_KEY, SECRET_KEY = "
          "SECRET_KEY_NEXT, no SECRET_KEY_NEXT";
      advice.changes = {{KeyRole::kPrevious, NewValue::kOfCurrent},
                        {KeyRole::kCurrent, NewValue::kOfNext},
                        {KeyRole::kNext, NewValue::kNone}};
      Wait(state).Into(advice);
      break;
    case RotationStage::kPromoted:
    case RotationStage::kTwoAtOnce: AdviseRetiring(state, advice); break;
  }
}

// What is a mistake at a certain time only.
void FindUntimely(const RotationState& state, RotationAdvice& advice) {
  const bool may_be_needed = !advice.safe_at || state.now < *advice.safe_at;
  if (advice.stage == RotationStage::kTwoAtOnce) {
    advice.findings.push_back(
        {may_be_needed ? Severity::kError : Severity::kWarning, FieldOf(KeyRole::kNext),
         std::string(
             "is set while SECRET_KEY_PREVIOUS is: a new rotation was begun before the last "
             "one was over") +
             (may_be_needed ? ", and promoting would drop a key whose tokens may be alive" : ""),
         may_be_needed ? "do not promote; remove SECRET_KEY_PREVIOUS when it is safe"
                       : "remove SECRET_KEY_PREVIOUS, then promote"});
  }
  if (advice.stage == RotationStage::kPromoted && state.made_at && advice.safe_at &&
      state.now >= *advice.safe_at + kForgottenAfter) {
    advice.findings.push_back(
        {Severity::kWarning, FieldOf(KeyRole::kPrevious),
         "is still set, " + DurationText(std::chrono::floor<seconds>(state.now - *advice.safe_at)) +
             " after the last token signed with it expired",
         "remove it: a key that is kept can be stolen"});
  }
}

// Errors first. Not by stable_partition: clang warns of how libstdc++ 12 does it.
void SortFindings(std::vector<Finding>& findings) {
  std::vector<Finding> sorted;
  for (const bool is_error : {true, false}) {
    std::ranges::copy_if(findings, std::back_inserter(sorted), [&](const Finding& finding) {
      return (finding.severity == Severity::kError) == is_error;
    });
  }
  findings = std::move(sorted);
}

}  // namespace

seconds LoadedAfter(const RotationTimes& times) noexcept {
  if (times.cache_ttl == seconds(0)) return kLongestFetch;
  return times.cache_ttl + times.max_stale + kLongestFetch;
}

seconds ClockDifference(const RotationTimes& times) noexcept {
  return std::max(times.leeway, kClockSkew);
}

seconds ExpiredAfter(const RotationTimes& times) noexcept {
  return times.lifetime + times.leeway + ClockDifference(times);
}

std::string_view ToString(RotationStage stage) noexcept {
  switch (stage) {
    case RotationStage::kUnknown: return "unknown";
    case RotationStage::kIdle: return "idle";
    case RotationStage::kAnnounced: return "announced";
    case RotationStage::kPromoted: return "promoted";
    case RotationStage::kTwoAtOnce: return "two at once";
  }
  return {};
}

std::vector<Finding> FindMistakes(const RotationState& state) {
  std::vector<Finding> findings;
  FindLonely(state.keys, findings);
  FindEqual(state.keys, findings);
  FindWeak(state, findings);
  SortFindings(findings);
  return findings;
}

RotationAdvice Advise(const RotationState& state) {
  RotationAdvice advice{.stage = StageOf(state.keys), .findings = FindMistakes(state)};
  // A current key that is weak is no reason to stay with it.
  const bool must_be_mended_first =
      std::ranges::any_of(advice.findings, [&](const Finding& finding) {
        return finding.severity == Severity::kError &&
               (finding.subject != FieldOf(KeyRole::kCurrent) || state.keys.current.empty());
      });
  if (must_be_mended_first) {
    advice.next = "mend the errors";
    return advice;
  }
  AdviseStep(state, advice);
  FindUntimely(state, advice);
  SortFindings(advice.findings);
  return advice;
}

RotationAdvice AdviseAfterLeak(const RotationState& state) {
  RotationAdvice advice{.stage = StageOf(state.keys), .findings = FindMistakes(state)};
  advice.next =
      "set SECRET_KEY to a new key and leave no other, in one new version; then restart "
      "every running replica, and revoke sessions and refresh tokens";
  advice.changes = {{KeyRole::kCurrent, NewValue::kNewKey},
                    {KeyRole::kPrevious, NewValue::kNone},
                    {KeyRole::kNext, NewValue::kNone}};
  advice.safe_at = state.now;
  advice.because =
      "whoever has the old key can make tokens until no running replica takes it: one rejects "
      "them, "
      "and all that it signed itself, from the moment it has the new version";
  if (!state.needs_restart) {
    advice.because += "; without a restart at the latest " +
                      DurationText(LoadedAfter(state.times)) + " after that was made";
  }
  return advice;
}

std::string DurationText(seconds duration) {
  constexpr std::array kUnits = {std::pair{86400, "d"}, std::pair{3600, "h"}, std::pair{60, "min"},
                                 std::pair{1, "s"}};
  auto left = duration.count();
  std::vector<std::string> parts;
  for (const auto& [length, name] : kUnits) {
    const auto count = left / length;
    left %= length;
    if (count > 0) parts.push_back(std::to_string(count) + " " + name);
    // What follows the largest unit is its neighbour, or too little to be told.
    if (parts.size() == 2 || (parts.size() == 1 && count == 0)) break;
  }
  return parts.empty() ? "0 s" : core::Join(parts, " ");
}

}  // namespace qarion::secrets::jwt
