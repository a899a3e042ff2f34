// Patterns found by the order of their bytes, where too many have their grams in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {

class PatternStore;

// Finds the patterns that a text begins with in the time of a few comparisons, however many others
// there are.
//
// Thread-safety: immutable. It refers to the store.
class PrefixLookup {
 public:
  PrefixLookup(const PatternStore& store, const std::vector<PatternId>& patterns);

  // Calls `take` with each pattern that the text begins with, and each that begins with the text if
  // that has kShortLength bytes or more; with others too.
  template <typename Take>
  void ForEachAt(std::string_view text, Take take) const {
    const std::size_t behind = FirstBehind(text);
    for (std::size_t i = behind; i != 0; i = shorter_[i - 1]) take(ids_[i - 1]);
    if (text.size() < kShortLength) return;
    for (std::size_t i = behind; i < ids_.size() && BeginsWith(ids_[i], text); ++i) take(ids_[i]);
  }

 private:
  std::size_t FirstBehind(std::string_view text) const noexcept;
  bool BeginsWith(PatternId id, std::string_view text) const noexcept;

  const PatternStore& store_;
  core::SecretVector<PatternId> ids_;  // in the order of their bytes
  // By place in ids_: the place behind the last one before that this one begins with, or 0. What a
  // text begins with are the last one before the text in that order and those it leads to.
  core::SecretVector<std::uint32_t> shorter_;
};

}  // namespace qarion::secrets::scrub
