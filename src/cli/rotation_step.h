// How far a rotation without an outage is (docs/guide/key-rotation.md).
#pragma once

#include <optional>
#include <string>

#include "qarion/secrets/rotation.h"
#include "qarion/secrets/runtime.h"

namespace qarion::secrets::cli {

// The fingerprints of the backend's keys; empty: not set.
struct BackendKeys {
  std::string current;
  std::string previous;
  std::string problem;  // why they cannot be read
};

BackendKeys ReadBackendKeys(const Runtime& runtime);

struct RotationStep {
  std::optional<int> number;  // the guide's; 0: no rotation is under way; not set: unknown
  std::string next;           // what to do
};

// As far as the keys and the latest rotation on record tell; no value is read.
RotationStep FindStep(const RotationStatus& status, const BackendKeys& keys);

}  // namespace qarion::secrets::cli
