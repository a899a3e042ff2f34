// `qsecrets scrub` with --find and --in-place: many files at once.
#pragma once

#include <stop_token>

#include "cli/scrub_options.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Returns the exit status: that of the first error; without one, with --find, 1 where a value was
// found, otherwise 0. Reports errors, and goes on behind them.
int ScrubFiles(const ScrubOptions& options, const Scrubber& scrubber, const std::stop_token& stop);

}  // namespace qarion::secrets::cli
