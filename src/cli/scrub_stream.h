// `qsecrets scrub` as a filter.
#pragma once

#include "cli/scrub_options.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Writes what the options' files hold, or standard input, to standard output with every value
// masked. All of it is one stream, so a value that is cut by the end of a file is masked too.
// Returns the exit status; reports errors.
int ScrubStream(const ScrubOptions& options, const Scrubber& scrubber);

}  // namespace qarion::secrets::cli
