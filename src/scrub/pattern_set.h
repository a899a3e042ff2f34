// The values a scrubber masks, and the matcher compiled from them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>

#include "qarion/secrets/secret.h"
#include "scrub/matcher.h"

namespace qarion::secrets::internal {

// A matcher and the state of the set it was made from.
struct CompiledPatterns {
  std::shared_ptr<const scrub::Matcher> matcher;
  std::uint64_t generation = 0;
};

// Thread-safety: every member may be called from several threads.
class PatternSet {
 public:
  // The empty value, and one that is there already, change nothing.
  void Add(const Secret& value);
  void Add(std::string_view value);

  std::size_t size() const;

  // Counts the changes. A stream asks this before each piece, so it takes no lock.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  // The matcher for all values that were added before the call. The first call after a change
  // compiles it, once for however many values were added; meanwhile matchers already handed out
  // stay in use, and only callers that need the new one wait.
  CompiledPatterns Compiled();

 private:
  struct ByBytes {
    using is_transparent = void;
    static std::string_view Bytes(const Secret& value) { return value.Reveal(); }
    static std::string_view Bytes(std::string_view value) { return value; }
    bool operator()(const auto& a, const auto& b) const { return Bytes(a) < Bytes(b); }
  };

  CompiledPatterns Compile() const;

  mutable std::mutex mutex_;  // held for moments only
  std::set<Secret, ByBytes> values_;
  CompiledPatterns compiled_;
  std::atomic<std::uint64_t> generation_{0};

  std::mutex compiling_;  // taken before mutex_, held for as long as compiling takes
};

}  // namespace qarion::secrets::internal
