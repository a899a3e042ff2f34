// `qsecrets scrub --in-place`: values leave files that are there already.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "cli/scrub_outcome.h"
#include "cli/scrub_paths.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

// Replaces the file by one in which every value is masked, or leaves it alone where it holds none.
// Whatever happens, under its name there is either the old file or the whole new one. The new one
// has the mode, owner, extended attributes and access time of the old one. Errors:
// kIo: it cannot be read, is no regular file or has several names, or the new one cannot be
// written. kNotPermitted: the new one cannot be given the owner or the attributes. kTryAgain: it is
// being written, was changed meanwhile, or `stop` was requested. In each case `bytes_done` has
// grown by the size of the file in the end.
ScrubOutcome ScrubInPlace(const FileToScrub& file, const Scrubber& scrubber,
                          const std::stop_token& stop, std::atomic<std::uint64_t>& bytes_done);

}  // namespace qarion::secrets::cli
