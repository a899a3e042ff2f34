#include "scrub/prefix_lookup.h"

#include <algorithm>

#include "scrub/pattern_index.h"

namespace qarion::secrets::scrub {

PrefixLookup::PrefixLookup(const PatternStore& store, const std::vector<PatternId>& patterns)
    : store_(store), ids_(patterns.begin(), patterns.end()), shorter_(patterns.size()) {
  const auto text = [this](std::size_t i) { return store_[ids_[i]].text(); };
  std::sort(ids_.begin(), ids_.end(), [this](PatternId a, PatternId b) {
    return Compare(store_[a].text(), store_[b].text()) < 0;
  });
  for (std::size_t i = 1; i < ids_.size(); ++i) {
    std::size_t shorter = i;
    while (shorter != 0 && !text(i).StartsWith(text(shorter - 1))) shorter = shorter_[shorter - 1];
    shorter_[i] = static_cast<std::uint32_t>(shorter);
  }
}

// The place of the first one behind the text.
std::size_t PrefixLookup::FirstBehind(std::string_view text) const noexcept {
  const auto found = std::partition_point(ids_.begin(), ids_.end(), [&](PatternId id) {
    return Compare(store_[id].text(), Spelled(text)) <= 0;
  });
  return static_cast<std::size_t>(found - ids_.begin());
}

bool PrefixLookup::BeginsWith(PatternId id, std::string_view text) const noexcept {
  return store_[id].text().StartsWith(text);
}

}  // namespace qarion::secrets::scrub
