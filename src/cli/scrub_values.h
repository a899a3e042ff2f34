// The values that `qsecrets scrub` masks.
#pragma once

#include <sys/stat.h>

#include <optional>

#include "cli/scrub_options.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Those of the file that the options name, or of the backend: every key, managed or not.
// kUsage: an option; the mask holds one of the values. Otherwise see FieldsFromJson, Runtime.
Result<Scrubber> OpenScrubber(const ScrubOptions& options);

// The regular file that values are read from, beside those of a backend: the one that the options
// name, or `.env`. None where there is none.
std::optional<struct stat> FileOfValues(const ScrubOptions& options);

}  // namespace qarion::secrets::cli
