// Patterns made ready to be looked for.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/aho_corasick.h"
#include "scrub/carried_patterns.h"
#include "scrub/forms.h"
#include "scrub/growing_array.h"
#include "scrub/head_filter.h"
#include "scrub/kernels.h"
#include "scrub/length_class.h"
#include "scrub/pattern.h"
#include "scrub/shared_bits.h"

namespace qarion::secrets::scrub {

using OwnerId = std::uint32_t;

// All patterns, and what says of the end of a text whether a pattern can begin there. It only
// grows.
class PatternStore {
 public:
  // `owner`: the last that NewOwner() returned. `repeats_itself`: the automaton is to find it.
  PatternId Add(const FormText& form, OwnerId owner, bool repeats_itself = false);
  // Its patterns count for nothing from now on.
  void Retire(OwnerId owner) noexcept {
    has_retired_.store(true, std::memory_order_release);
    retired_[owner].store(1, std::memory_order_release);
  }
  OwnerId NewOwner(std::string_view name);
  std::string_view NameOf(OwnerId owner) const;  // valid as long as the store

  const Pattern& operator[](PatternId id) const noexcept { return patterns_[id]; }
  std::size_t size() const noexcept { return patterns_.size(); }
  bool IsRetired(OwnerId owner) const noexcept {
    return retired_[owner].load(std::memory_order_acquire) != 0;
  }

  // Bit i: whether `c` is the i-th byte of a pattern, of its first kShortLength, and may have
  // `previous` before it; for the first byte, whatever is before it.
  std::uint64_t PlacesOf(unsigned char c, unsigned char previous) const noexcept {
    return places_[c][GroupOf(previous)].load(std::memory_order_relaxed);
  }
  // Whether a pattern may have these four bytes, a line break and what is before it, in its first
  // kShortLength ones.
  static constexpr std::size_t kBeforeBreak = 3;
  bool MayHaveBreak(std::string_view four) const noexcept {
    return HasBit(breaks_, BitOfBreak(four));
  }
  // The filter knows the first bytes of each pattern that has so many. Of other numbers it knows
  // them only if the pattern waits for more when so much of it is there.
  static constexpr std::size_t kSeamHead = 4;
  const HeadFilter& heads() const noexcept { return heads_; }
  bool has_retired() const noexcept { return has_retired_.load(std::memory_order_acquire); }
  // Whether any pattern is shorter than that.
  bool has_short() const noexcept { return has_short_.load(std::memory_order_acquire); }
  // Whether `c` may carry the first bits of a pattern that begins behind it; of one that begins
  // with `first`.
  bool IsAnyLead(unsigned char c) const noexcept { return HasLead(leads_, c); }
  bool IsLeadOf(unsigned char first, unsigned char c) const noexcept {
    return HasLead(leads_of_[first], c);
  }

 private:
  static constexpr std::size_t kGroups = 8;
  static std::size_t GroupOf(unsigned char c) noexcept { return (c * 37U >> 3) % kGroups; }

  const char* Keep(std::string_view text);
  const char* KeepSource(const FormText& form);
  void AddPlace(unsigned char c, std::size_t group, std::size_t place) noexcept;
  static std::uint32_t BitOfBreak(std::string_view four) noexcept {
    return Load<std::uint32_t>(four.data()) * kGramFactor >> (32 - kBreakBits);
  }
  static bool HasLead(const std::atomic<std::uint64_t>& leads, unsigned char c) noexcept {
    const int value = Base64Value(c);
    return value >= 0 && (leads.load(std::memory_order_relaxed) >> value & 1) != 0;
  }

  GrowingArray<Pattern> patterns_;
  GrowingArray<std::atomic<std::uint8_t>> retired_;  // by owner
  // By byte, and by group of the one before it.
  std::array<std::array<std::atomic<std::uint64_t>, kGroups>, 256> places_{};
  static constexpr unsigned kBreakBits = 16;
  std::array<std::uint32_t, (std::size_t{1} << kBreakBits) / 32> breaks_{};
  std::atomic<bool> has_retired_{false};
  std::atomic<bool> has_short_{false};
  HeadFilter heads_;
  std::atomic<std::uint64_t> leads_{0};                     // by value of base64
  std::array<std::atomic<std::uint64_t>, 256> leads_of_{};  // the same, by first byte
  mutable std::mutex naming_;
  std::deque<std::string> names_;  // by owner
  std::vector<core::SecretVector<char>> texts_;
  std::size_t text_bytes_ = 0;
  std::size_t text_left_ = 0;  // free bytes at the end of the last one
  // What forms of the last owner are spelled from, by its number; null where it is not kept yet.
  std::vector<const char*> plaintexts_;
};

// Patterns in the order of their bytes.
class SortedIds {
 public:
  void Reserve(std::size_t size) { ids_.reserve(size); }
  // It is behind all that are there. `head`: its first bytes, as Spelled::WordAt() has them.
  void Add(PatternId id, std::uint64_t head);
  const core::SecretVector<PatternId>& all() const noexcept { return ids_; }
  // Those from the first on that begins with `text` or is behind it.
  std::span<const PatternId> From(std::string_view text, const PatternStore& store) const;

 private:
  // Of every so many the first four bytes: they lead most of the way, and no pattern has to be
  // looked at.
  static constexpr std::size_t kStep = 16;

  core::SecretVector<PatternId> ids_;
  core::SecretVector<std::uint32_t> step_heads_;
};

struct SortedPatterns {
  SortedIds of_all;
  SortedIds of_base64;
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

// What a reader looks through. What it refers to grows under it, but the number of patterns in
// `sorted` and `count`, which says how many a reader may know of.
struct IndexView {
  // A class whose grams are to be looked for.
  struct Probed {
    const LengthClass* table;
    ProbePlan plan;
    const CarriedPatterns* carried;  // what its grams lead to, too, or null
  };

  IndexView() = default;
  IndexView(const IndexView&) = delete;  // it refers to itself
  IndexView& operator=(const IndexView&) = delete;

  std::shared_ptr<const PatternStore> store;
  std::array<std::shared_ptr<const LengthClass>, kClassShapes.size()> classes;  // may be null
  std::array<std::optional<FewGrams>, kClassShapes.size()> few;                 // by class
  std::optional<CarriedPatterns> carried;  // all of their class, if any
  std::shared_ptr<const SortedPatterns> sorted;
  std::shared_ptr<const RepeatingPatterns> repeating;  // may be null
  std::size_t count = 0;
  bool has_base64 = false;

  // None where the automaton finds all patterns.
  std::span<const Probed> probed() const noexcept { return {probed_.data(), probed_count_}; }
  // When all else is there.
  void ListProbed() noexcept;

 private:
  std::array<Probed, kClassShapes.size()> probed_{};
  std::size_t probed_count_ = 0;
};

// Thread-safety: one thread at a time. Views may be used from several threads meanwhile.
class PatternIndex {
 public:
  PatternIndex();

  OwnerId NewOwner(std::string_view name) { return store_->NewOwner(name); }
  std::string_view NameOf(OwnerId owner) const { return store_->NameOf(owner); }
  void Insert(const FormText& form, OwnerId owner);
  void Retire(OwnerId owner);

  // Puts what was inserted meanwhile into order, where that is much, and makes room for more.
  // Returns whether it did: then another view is faster.
  bool Settle();

  std::shared_ptr<const IndexView> View();

 private:
  // Calls `take` with the patterns of a class from `first` on.
  template <typename Take>
  void ForEachMember(std::size_t index, std::size_t first, Take take) const;
  void EnterMembers(std::size_t index);
  bool RenewTables();
  bool SortRecent();
  std::shared_ptr<LengthClass> NewClass(std::size_t index) const;
  std::optional<CarriedPatterns> Carried();
  std::shared_ptr<const RepeatingPatterns> Repeating() const;

  std::shared_ptr<PatternStore> store_;
  std::array<std::shared_ptr<LengthClass>, kClassShapes.size()> classes_;
  // By class, the number of those in the store that do not repeat themselves. Each is counted, or a
  // table would have no room for it, or be taken to have it.
  std::array<std::size_t, kClassShapes.size()> members_{};
  std::array<std::size_t, kClassShapes.size()> entered_{};  // patterns before this one, by class
  std::vector<PatternId> carried_ids_;  // of the class that may be carried, one too many at most
  std::shared_ptr<const SortedPatterns> sorted_;
  std::vector<PatternId> repeating_ids_;
  bool has_base64_ = false;
  std::shared_ptr<const RepeatingPatterns> repeating_;
};

}  // namespace qarion::secrets::scrub
