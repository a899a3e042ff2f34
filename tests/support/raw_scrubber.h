// A scrubber of plain values, however short.
#pragma once

#include <string>
#include <vector>

#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::test {

inline Scrubber ScrubberFor(const std::vector<std::string>& values) {
  Scrubber scrubber({.forms = {ScrubForm::kRaw}, .min_length = 1});
  for (const std::string& value : values) scrubber.Add(value);
  return scrubber;
}

}  // namespace qarion::secrets::test
