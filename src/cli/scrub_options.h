// What `qsecrets scrub` is asked to do.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

struct ScrubOptions {
  std::vector<std::string> paths;  // none: standard input
  std::string secrets_json;
  std::string forms = "all";
  std::size_t min_length = 0;
  std::optional<std::string> mask;
  bool find = false;
  bool in_place = false;
  bool stats = false;
  bool line_buffered = false;
  std::size_t jobs = 0;  // 0: as many as there are processors
  std::string format;
};

// Names of forms with commas between them, "all" for all of them. kUsage: a name that no form has.
Result<ScrubForms> ParseForms(std::string_view text);

// kUsage: options that contradict each other, a mask that cannot be one.
Status CheckScrubOptions(const ScrubOptions& options);

// How the values are to be masked, as far as options say. kUsage: see ParseForms.
Result<ScrubberOptions> ScrubbingOf(const ScrubOptions& options);

}  // namespace qarion::secrets::cli
