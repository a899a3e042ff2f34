// What became of one file.
#pragma once

#include <optional>

#include "cli/scrub_tally.h"
#include "qarion/secrets/error.h"

namespace qarion::secrets::cli {

struct ScrubOutcome {
  bool holds_values = false;
  ScrubTally tally;
  std::optional<Error> error;
};

}  // namespace qarion::secrets::cli
