#include "scrub/matcher.h"

#include "scrub/aho_corasick.h"

namespace qarion::secrets::scrub {

std::unique_ptr<const Matcher> CompileMatcher(std::span<const std::string_view> patterns) {
  return std::make_unique<AhoCorasick>(patterns);
}

}  // namespace qarion::secrets::scrub
