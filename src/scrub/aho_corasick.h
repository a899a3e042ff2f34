// The Aho-Corasick automaton: every value in one pass, in linear time for any text and any values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/gram_filter.h"
#include "scrub/match.h"

namespace qarion::secrets::scrub {

// Nodes are numbered breadth first, siblings by label. So the children of a node lie next to each
// other, and a node costs nine bytes: where its children begin, its failure link, its label.
//
// Thread-safety: immutable.
class AhoCorasick {
 public:
  static constexpr std::size_t kMostSteps = std::size_t{1} << 14;  // 64 KiB, small beside a text

  // `patterns`: none empty, each once, in ascending order of their bytes. Their text need not
  // outlive the call. `most_steps`: so large a table of steps may be; without one it takes longer.
  explicit AhoCorasick(std::span<const std::string_view> patterns,
                       std::size_t most_steps = kMostSteps);

  // Goes on with `text` where `state` stands; a fresh MatchState begins a stream. Writes matches to
  // `room` (not empty) in ascending order of their ends, the longest one at each end, and stops
  // early when it is full. Moves `state` on to the last byte it went through.
  Scanned Scan(std::string_view text, MatchState& state, std::span<Match> room) const;

  // The longest other pattern that ends where this one does, whatever the text; kNoPattern if none.
  static constexpr std::uint32_t kNoPattern = UINT32_MAX;
  std::uint32_t ShorterAtEndOf(std::uint32_t pattern) const noexcept { return shorter_[pattern]; }

  // Secret memory in use, for measurements.
  std::size_t memory_bytes() const noexcept;

 private:
  using NodeId = std::uint32_t;
  struct Node {
    NodeId children = 0;  // the first one; the next node's `children` ends them. And kMatchBit
    // The longest proper suffix that is a node with children: one without has nothing to offer.
    NodeId failure = 0;
  };
  struct Ending {
    NodeId node = 0;
    std::uint32_t length = 0;  // of the longest pattern that ends there
    std::uint32_t pattern = 0;
  };

  // Nodes from the first to the last one, each the first child of the one before, of which only the
  // last may end a pattern. Their labels lie next to each other, as text does.
  struct Chain {
    NodeId first = 0;
    NodeId last = 0;
  };

  // All steps to children, where there are not many: a row for each node, with a column for each
  // byte that patterns have. A step is the row of the child, and tells whether the walk stops
  // there: at the end of a pattern, or at the chain.
  struct Steps {
    static constexpr std::uint32_t kStops = std::uint32_t{1} << 31;
    static constexpr std::uint32_t kNoChild = UINT32_MAX;

    core::SecretVector<std::uint32_t> table;
    core::SecretVector<std::uint8_t> columns;  // by byte; the first one is of those of no pattern
    unsigned row_bits = 0;  // 1 << row_bits columns; the last one tells which of endings_ is there
  };

  // Where a walk from parents to children came to.
  struct Descent {
    NodeId node;
    std::size_t position;
    bool has_failed;  // `node` has no child for the byte there
  };

  static constexpr NodeId kRoot = 0;
  static constexpr NodeId kNone = 0;  // no edge leads to the root
  static constexpr NodeId kMatchBit = NodeId{1} << 31;
  // A failure to a node of less depth goes back to the filter. It then reads so many bytes again.
  static constexpr std::size_t kShallowDepth = 4;

  std::vector<std::uint32_t> BuildTrie(std::span<const std::string_view> patterns);
  void LinkFailures(std::vector<std::uint32_t>& longest);

  void ShortenFailures();
  void FindChain();
  void FillSteps(std::size_t most_steps);

  NodeId FirstChild(NodeId node) const noexcept {
    return nodes_.data()[node].children & ~kMatchBit;
  }
  bool IsLeaf(NodeId node) const noexcept { return FirstChild(node) == FirstChild(node + 1); }
  NodeId Child(NodeId node, std::uint8_t label) const noexcept;
  // From `node` on, as far as the text from `position` on goes and there are children for it, but
  // no farther than to a node where a pattern ends.
  Descent Descend(NodeId node, std::string_view text, std::size_t position) const noexcept;
  Descent DescendByTable(NodeId node, std::string_view text, std::size_t position) const noexcept;
  // How many of its nodes behind `node` the text goes through; none where that is not of it.
  NodeId StepsInChain(NodeId node, std::string_view text) const noexcept;
  std::size_t DepthOf(NodeId node) const noexcept;
  std::size_t ShallowDepthOf(NodeId node) const noexcept;  // of a node before shallow_end_
  bool EndsPattern(NodeId node) const noexcept {
    return (nodes_.data()[node].children & kMatchBit) != 0;
  }
  // Whether there are more of its nodes behind `node`.
  bool IsInChain(NodeId node) const noexcept { return node >= chain_.first && node < chain_.last; }
  std::size_t LastStepOf(NodeId node) const noexcept {
    return ((std::size_t{node} + 1) << steps_.row_bits) - 1;
  }
  const Ending& EndingAt(NodeId node) const noexcept;

  core::SecretVector<Node> nodes_;  // one more than there are, for its `children`
  core::SecretVector<std::uint8_t> labels_;
  core::SecretVector<NodeId> root_children_;     // by label: the root is where most text is
  core::SecretVector<Ending> endings_;           // by node
  core::SecretVector<std::uint32_t> shorter_;    // by pattern
  core::SecretVector<NodeId> level_begin_;       // the first node of each depth
  std::array<NodeId, kShallowDepth> shallow_{};  // the end of each depth, up to shallow_end_
  NodeId shallow_end_ = 0;
  Chain chain_;  // the longest one, most of a single pattern; none if it is short
  Steps steps_;  // empty where there are many
  GramFilter filter_;
};

}  // namespace qarion::secrets::scrub
