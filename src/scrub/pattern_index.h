// Patterns made ready to be looked for.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/aho_corasick.h"
#include "scrub/byte_kinds.h"
#include "scrub/forms.h"
#include "scrub/growing_array.h"
#include "scrub/head_filter.h"
#include "scrub/length_class.h"
#include "scrub/pattern.h"

namespace qarion::secrets::scrub {

using OwnerId = std::uint32_t;

// All patterns, and what says of the end of a text whether a pattern can begin there. It only
// grows.
class PatternStore {
 public:
  PatternId Add(const FormText& form, OwnerId owner);
  // Its patterns count for nothing from now on.
  void Retire(OwnerId owner) noexcept {
    has_retired_.store(true, std::memory_order_release);
    retired_[owner].store(1, std::memory_order_release);
  }
  OwnerId NewOwner(std::string_view name);
  std::string_view NameOf(OwnerId owner) const;  // valid as long as the store

  const Pattern& operator[](PatternId id) const noexcept { return patterns_[id]; }
  Pattern& at(PatternId id) noexcept { return patterns_[id]; }
  std::size_t size() const noexcept { return patterns_.size(); }
  bool IsRetired(OwnerId owner) const noexcept {
    return retired_[owner].load(std::memory_order_acquire) != 0;
  }

  // Bit i: whether `c` is the i-th byte of a pattern, of its first kShortLength.
  std::uint64_t PlacesOf(unsigned char c) const noexcept {
    return places_[c].load(std::memory_order_relaxed);
  }
  const HeadFilter& heads() const noexcept { return heads_; }
  bool has_retired() const noexcept { return has_retired_.load(std::memory_order_acquire); }
  // Whether any pattern is shorter than what the filter knows whole.
  bool has_short() const noexcept { return has_short_.load(std::memory_order_acquire); }
  // Whether `c` may carry the first bits of a pattern that begins behind it.
  bool IsAnyLead(unsigned char c) const noexcept;

 private:
  const char* Keep(std::string_view text);

  GrowingArray<Pattern> patterns_;
  GrowingArray<std::atomic<std::uint8_t>> retired_;  // by owner
  std::array<std::atomic<std::uint64_t>, 256> places_{};
  std::atomic<bool> has_retired_{false};
  std::atomic<bool> has_short_{false};
  // Of up to three bytes, only if the pattern waits for more when so much of it is there.
  HeadFilter heads_;
  std::atomic<std::uint64_t> leads_{0};  // by value of base64
  mutable std::mutex naming_;
  std::deque<std::string> names_;  // by owner
  std::vector<core::SecretVector<char>> texts_;
  std::size_t text_left_ = 0;  // free bytes at the end of the last one
};

// Patterns in the order of their bytes.
struct SortedPatterns {
  core::SecretVector<PatternId> ids;
};

// Those that repeat themselves, in the order of their bytes.
struct RepeatingPatterns {
  std::vector<PatternId> ids;
  std::vector<std::size_t> begins;  // in `ids`, of those that are spelled alike; and its size
  // By spelling: the longest other one of base64 that ends where it does, or kNoPattern. What it
  // covers beyond its end may differ.
  std::vector<std::uint32_t> shorter_base64;
  AhoCorasick automaton;
};

// What a reader looks through. Copies are cheap; what it refers to grows under it, but the number
// of patterns in `sorted` and `count`, which says how many a reader may know of.
struct IndexView {
  std::shared_ptr<const PatternStore> store;
  std::array<std::shared_ptr<const LengthClass>, kClassShapes.size()> classes;  // may be null
  std::shared_ptr<const std::array<ByteKinds, kClassShapes.size()>> kinds;      // by class
  std::shared_ptr<const SortedPatterns> sorted;
  std::shared_ptr<const RepeatingPatterns> repeating;  // may be null
  std::size_t count = 0;
  bool has_base64 = false;
};

// Thread-safety: one thread at a time. Views may be used from several threads meanwhile.
class PatternIndex {
 public:
  PatternIndex();

  OwnerId NewOwner(std::string_view name) { return store_->NewOwner(name); }
  void Insert(const FormText& form, OwnerId owner);
  void Retire(OwnerId owner);

  // Puts what was inserted meanwhile into order, where that is much. Returns whether it was.
  bool Settle();

  IndexView View();

 private:
  using AllKinds = std::array<ByteKinds, kClassShapes.size()>;

  struct WindowCosts;
  struct ChosenClass;
  ChosenClass ChooseClass(std::string_view text) const;
  LengthClass& ClassWithRoom(std::size_t index);
  static std::size_t ChooseWindow(std::string_view text, WindowCosts costs,
                                  const LengthClass& length_class);
  std::shared_ptr<const RepeatingPatterns> Repeating() const;
  std::shared_ptr<const AllKinds> Kinds() const;

  std::shared_ptr<PatternStore> store_;
  std::array<std::shared_ptr<LengthClass>, kClassShapes.size()> classes_;
  std::array<std::vector<PatternId>, kClassShapes.size()> members_;
  std::shared_ptr<const SortedPatterns> sorted_;
  std::vector<PatternId> repeating_ids_;
  bool has_base64_ = false;
  std::shared_ptr<const RepeatingPatterns> repeating_;
};

}  // namespace qarion::secrets::scrub
