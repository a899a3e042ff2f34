// The values that `qsecrets scrub` masks.
#pragma once

#include "cli/scrub_options.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Those of the file that the options name, or of the backend: every key, managed or not.
// kUsage: an option; the mask holds one of the values. Otherwise see FieldsFromJson, Runtime.
Result<Scrubber> OpenScrubber(const ScrubOptions& options);

}  // namespace qarion::secrets::cli
