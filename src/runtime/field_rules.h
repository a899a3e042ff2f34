// What `check` knows about the managed fields.
#pragma once

#include <vector>

#include "qarion/secrets/finding.h"
#include "qarion/secrets/snapshot.h"

namespace qarion::secrets::runtime {

// Holds every field that is set against the rules for its name and those for all fields. Findings
// name fields, lengths and kinds of characters, never a part of a value.
std::vector<Finding> CheckFields(const Snapshot& snapshot);

}  // namespace qarion::secrets::runtime
