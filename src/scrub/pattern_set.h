// The values a scrubber masks, and the index made of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

#include "qarion/secrets/scrubber.h"
#include "qarion/secrets/secret.h"
#include "scrub/pattern_index.h"

namespace qarion::secrets::internal {

// What a stream looks through, and the state of the set it belongs to.
struct CurrentView {
  std::shared_ptr<const scrub::IndexView> index;
  std::uint64_t generation = 0;
};

// Thread-safety: every member may be called from several threads. Changes wait for each other; who
// reads waits for none.
class PatternSet {
 public:
  explicit PatternSet(ScrubberOptions options);

  // The empty value, and one that is let through, change nothing.
  void Add(std::span<const NamedSecret> values);
  void Add(const Secret& value, std::string_view name);
  // Takes back one Add(). Unknown values change nothing.
  void Remove(std::string_view value);

  std::size_t size() const;
  const ScrubberOptions& options() const noexcept { return options_; }

  // Counts the changes. A stream asks this before each piece, so it takes no lock.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  // For all values that were added before the call.
  CurrentView Current() const;

 private:
  struct ByBytes {
    using is_transparent = void;
    static std::string_view Bytes(const Secret& value) { return value.Reveal(); }
    static std::string_view Bytes(std::string_view value) { return value; }
    bool operator()(const auto& a, const auto& b) const { return Bytes(a) < Bytes(b); }
  };
  struct Entry {
    std::optional<scrub::OwnerId> owner;
    std::size_t times = 0;  // added
  };

  using Values = std::map<Secret, Entry, ByBytes>;

  bool IsAllowed(std::string_view value) const;
  bool IsLetThrough(std::string_view value) const;  // in every form
  void InsertForms(const Secret& value, scrub::OwnerId owner, scrub::PatternIndex& index) const;
  void Publish();
  void Settle();
  void RebuildIfMuchIsRetired();

  const ScrubberOptions options_;
  const scrub::FormRules rules_;

  mutable std::mutex changing_;  // held for as long as a change takes
  Values values_;
  scrub::PatternIndex index_;
  std::size_t retired_ = 0;

  mutable std::mutex mutex_;  // held for moments only
  CurrentView current_;
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace qarion::secrets::internal
