// `qsecrets scrub --find`: where values are.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "cli/ordered_work.h"
#include "cli/scrub_outcome.h"
#include "cli/scrub_paths.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Passes on a line for each occurrence, "path:line:column: FIELD" or a JSON object ("json"), before
// it reads more. Ends where no more is wanted.
// `bytes_done` counts what is read, and in the end has grown by the size of the file.
ScrubOutcome FindValues(const FileToScrub& file, const Scrubber& scrubber,
                        const std::string& format, const PassOutput& pass,
                        std::atomic<std::uint64_t>& bytes_done);

}  // namespace qarion::secrets::cli
