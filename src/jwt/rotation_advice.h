// How far a rotation of the JWT key is, what comes next and when that is safe (docs/guide/jwt.md).
// No input or output: what is to be judged is given, the present time too.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/finding.h"
#include "qarion/secrets/jwt_claims.h"
#include "qarion/secrets/jwt_keys.h"

namespace qarion::secrets::jwt {

// Of verifiers, where nobody says another one.
inline constexpr std::chrono::seconds kDefaultLeeway{60};

// What decides how long the steps of a rotation take.
struct RotationTimes {
  std::chrono::seconds cache_ttl{};  // SECRETS_CACHE_TTL
  std::chrono::seconds max_stale{};  // SECRETS_MAX_STALE
  std::chrono::seconds lifetime{};   // of tokens
  std::chrono::seconds leeway{};     // of verifiers
};

// After how long every replica has a version, or serves nothing: one that is cut off from its
// store serves what it has for as long as both settings allow together, and with
// SECRETS_CACHE_TTL=0 not at all. A fetch that is under way when the version is made may still
// bring the one before.
std::chrono::seconds LoadedAfter(const RotationTimes& times) noexcept;

// How far apart two clocks may be before one rejects what the other signs.
std::chrono::seconds ClockDifference(const RotationTimes& times) noexcept;

// After how long no verifier takes a token any more, whichever clock it was signed by.
std::chrono::seconds ExpiredAfter(const RotationTimes& times) noexcept;

// The secret as it is now.
struct RotationState {
  Keys keys;
  // When this version was made, which is taken for when it became the current one: the rotation's
  // step, or a later edit, which delays what is safe. Too early where a store made an old version
  // the current one again.
  std::optional<Time> made_at;
  // Whether the user said so, not the store.
  bool made_at_is_given = false;
  // Whether the store makes versions that become current later, and does not tell when they did.
  bool becomes_current_later = false;
  // Where the keys are variables of the processes, which nobody can change from outside.
  bool needs_restart = false;
  RotationTimes times;
  Algorithm algorithm = Algorithm::kHs256;
  Time now;
};

enum class RotationStage {
  kUnknown,    // without SECRET_KEY there is none
  kIdle,       // SECRET_KEY alone
  kAnnounced,  // SECRET_KEY_NEXT beside it
  kPromoted,   // SECRET_KEY_PREVIOUS beside it
  kTwoAtOnce,  // all three
};

// "announced"
std::string_view ToString(RotationStage stage) noexcept;

// What the field of a key is to hold in the next version.
enum class NewValue { kNewKey, kOfCurrent, kOfNext, kNone };

struct FieldChange {
  KeyRole key;
  NewValue value;
};

struct RotationAdvice {
  RotationStage stage = RotationStage::kUnknown;
  std::vector<Finding> findings;     // errors first
  std::string next;                  // what to do, in words
  std::vector<FieldChange> changes;  // all of them in one new version
  std::optional<Time> safe_at;       // not before; not set: nobody can tell, or nothing to do
  std::string because;               // how that was computed, or why it cannot be
};

RotationAdvice Advise(const RotationState& state);

// The other order, for a key that others have: without an overlap, which would serve them too.
RotationAdvice AdviseAfterLeak(const RotationState& state);

// Of what is wrong with the keys, whatever the step.
std::vector<Finding> FindMistakes(const RotationState& state);

// For people, in the two largest units: "41 min", "1 h 5 min", "2 d".
std::string DurationText(std::chrono::seconds duration);

}  // namespace qarion::secrets::jwt
