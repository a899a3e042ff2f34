// A rotation of the JWT key played in advance: real tokens and real verifiers, in a fleet and at
// times that are simulated. No input or output, and no waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "jwt/rotation_advice.h"
#include "qarion/secrets/jwt_keys.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::jwt {

struct DrillOptions {
  RotationTimes times;
  std::size_t replicas = 8;
  // So many of them are cut off from the store at the worst moment: just before each step, until
  // what they have may not be served any more.
  std::size_t partitioned = 0;
  // Whether the operator goes on after a minute, in place of waiting.
  bool is_hasty = false;
  std::uint64_t seed = 1;  // the same seed, the same counts
};

inline constexpr std::size_t kMostDrillReplicas = 64;

struct DrillStep {
  std::string name;    // "promote"
  std::string change;  // what is set
  std::chrono::seconds lasts{};
  std::uint64_t checked = 0;   // tokens that a replica had to judge, none of them expired or forged
  std::uint64_t rejected = 0;  // of those
};

struct DrillRun {
  std::string order;  // "two keys"
  // Whether a verifier fetches once and looks again where no key fits, as Verifier::For does.
  bool fetches_again = false;
  std::vector<DrillStep> steps;
  // Tokens made by a thief of the old key after its end: after the step that removes it, and
  // LoadedAfter().
  std::uint64_t late = 0;
  std::uint64_t late_accepted = 0;
};

// Two keys without and with fetching again, then three steps without. kInternal: no random keys.
Result<std::vector<DrillRun>> Drill(const DrillOptions& options);

}  // namespace qarion::secrets::jwt
