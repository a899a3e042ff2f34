#include "scrub/aho_corasick.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "scrub/bytes.h"
#include "scrub/kernels.h"

namespace qarion::secrets::scrub {
namespace {

// The patterns that go through a node.
struct Span {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// How far the text from `position` on repeats what stands `period` bytes before, in whole periods
// and so that the `window` bytes behind them do so too: where the filter was asked, it has ruled
// out what cannot go on with those. Where it was not, the same bytes lead to the same node.
std::size_t RepeatedBytes(std::string_view text, std::size_t position, std::size_t period,
                          std::size_t window) {
  const std::size_t left = text.size() - position;
  if (left < window) return 0;
  const std::size_t same = ActiveKernels().count_repeated(text.data() + position, left, period);
  return same < window ? 0 : (same - window) / period * period;
}

}  // namespace

AhoCorasick::AhoCorasick(std::span<const std::string_view> patterns, std::size_t most_steps)
    : filter_(patterns) {
  assert(std::is_sorted(patterns.begin(), patterns.end()));
  std::vector<std::uint32_t> longest = BuildTrie(patterns);
  root_children_.resize(256, kNone);
  for (NodeId child = FirstChild(kRoot); child < FirstChild(kRoot + 1); ++child) {
    root_children_[labels_[child]] = child;
  }
  shorter_.resize(patterns.size(), kNoPattern);
  LinkFailures(longest);
  ShortenFailures();
  for (NodeId node = 0; node < longest.size(); ++node) {
    if (longest[node] == kNoPattern) continue;
    nodes_[node].children |= kMatchBit;
    endings_.push_back({.node = node,
                        .length = static_cast<std::uint32_t>(patterns[longest[node]].size()),
                        .pattern = longest[node]});
  }

  FindChain();
  FillSteps(most_steps);

  // What lies less deep than the shortest pattern reports nothing when it is read again.
  std::size_t shortest = kShallowDepth;
  for (const std::string_view pattern : patterns) shortest = std::min(shortest, pattern.size());
  const std::size_t depths = std::min(shortest, level_begin_.size() - 1);
  std::copy_n(level_begin_.begin() + 1, depths, shallow_.begin());
  shallow_end_ = level_begin_[depths];
}

// Returns for each node the pattern that ends there, or kNoPattern.
std::vector<std::uint32_t> AhoCorasick::BuildTrie(std::span<const std::string_view> patterns) {
  std::vector<std::uint32_t> ending;
  std::vector<Span> level = {{0, static_cast<std::uint32_t>(patterns.size())}};
  labels_.push_back(0);
  std::vector<Span> next_level;
  for (std::uint32_t depth = 0; !level.empty(); ++depth) {
    level_begin_.push_back(static_cast<NodeId>(nodes_.size()));
    next_level.clear();
    for (const Span span : level) {
      nodes_.push_back({.children = static_cast<NodeId>(labels_.size())});
      std::uint32_t pattern = span.first;
      // In the order of bytes the pattern that ends here comes before those that go on.
      const bool ends = depth > 0 && patterns[pattern].size() == depth;
      ending.push_back(ends ? pattern : kNoPattern);
      if (ends) ++pattern;
      while (pattern < span.last) {
        const std::uint8_t label = ByteAt(patterns[pattern], depth);
        const std::uint32_t first = pattern;
        while (pattern < span.last && ByteAt(patterns[pattern], depth) == label) ++pattern;
        labels_.push_back(label);
        next_level.push_back({first, pattern});
      }
    }
    level.swap(next_level);
  }
  assert(nodes_.size() == labels_.size() && nodes_.size() < kMatchBit);
  level_begin_.push_back(static_cast<NodeId>(nodes_.size()));
  nodes_.push_back({.children = static_cast<NodeId>(labels_.size())});
  nodes_.shrink_to_fit();
  labels_.shrink_to_fit();
  return ending;
}

// Also carries over to each node the longest pattern that ends there as a suffix.
void AhoCorasick::LinkFailures(std::vector<std::uint32_t>& longest) {
  for (NodeId parent = 0; parent + 1 < nodes_.size(); ++parent) {
    for (NodeId child = FirstChild(parent); child < FirstChild(parent + 1); ++child) {
      NodeId suffix = kRoot;
      NodeId from = parent;
      while (suffix == kRoot && from != kRoot) {
        from = nodes_[from].failure;
        suffix = Child(from, labels_[child]);
      }
      nodes_[child].failure = IsLeaf(suffix) ? nodes_[suffix].failure : suffix;
      if (longest[child] == kNoPattern) {
        longest[child] = longest[suffix];
      } else {
        shorter_[longest[child]] = longest[suffix];
      }
    }
  }
}

// What a node has no child for, a failure link to one with no other children has none for either
// (Knuth, Morris and Pratt): goes on to where that one's leads.
void AhoCorasick::ShortenFailures() {
  const auto has_no_other = [&](NodeId suffix, NodeId node) {
    for (NodeId child = FirstChild(suffix); child < FirstChild(suffix + 1); ++child) {
      if (Child(node, labels_[child]) == kNone) return false;
    }
    return true;
  };
  for (NodeId node = 1; node + 1 < nodes_.size(); ++node) {
    NodeId& failure = nodes_[node].failure;
    while (failure != kRoot && has_no_other(failure, node)) failure = nodes_[failure].failure;
  }
}

void AhoCorasick::FindChain() {
  Chain chain{.first = kRoot + 1, .last = kRoot + 1};
  for (NodeId node = chain.last + 1; node + 1 < nodes_.size(); ++node) {
    const NodeId before = node - 1;
    if (FirstChild(before) != node || EndsPattern(before)) chain.first = node;
    chain.last = node;
    if (chain.last - chain.first > chain_.last - chain_.first) chain_ = chain;
  }
  constexpr NodeId kShort = 16;
  if (chain_.last - chain_.first < kShort) chain_ = {};
}

void AhoCorasick::FillSteps(std::size_t most_steps) {
  constexpr std::uint8_t kMostColumns = 255;
  steps_.columns.resize(256);
  std::uint8_t columns = 1;
  const std::span labels = std::span(labels_).subspan(1);
  for (const std::uint8_t label : labels) {
    if (steps_.columns[label] != 0) continue;
    if (columns == kMostColumns) return;
    steps_.columns[label] = columns++;
  }
  steps_.row_bits = static_cast<unsigned>(std::bit_width(columns));
  if (labels_.size() > most_steps >> steps_.row_bits) return;
  steps_.table.resize(labels_.size() << steps_.row_bits, Steps::kNoChild);
  for (NodeId parent = 0; parent + 1 < nodes_.size(); ++parent) {
    for (NodeId child = FirstChild(parent); child < FirstChild(parent + 1); ++child) {
      std::uint32_t step = child << steps_.row_bits;
      if (EndsPattern(child) || IsInChain(child)) step |= Steps::kStops;
      steps_.table[(parent << steps_.row_bits) + steps_.columns[labels_[child]]] = step;
    }
  }
  for (std::uint32_t i = 0; i < endings_.size(); ++i) {
    steps_.table[LastStepOf(endings_[i].node)] = i;
  }
}

inline AhoCorasick::NodeId AhoCorasick::Child(NodeId node, std::uint8_t label) const noexcept {
  if (node == kRoot) return root_children_.data()[label];
  const NodeId first = FirstChild(node);
  const NodeId count = FirstChild(node + 1) - first;
  const std::uint8_t* const labels = labels_.data() + first;
  constexpr NodeId kFew = 4;
  if (count <= kFew) {
    for (NodeId i = 0; i < count; ++i) {
      if (labels[i] == label) return first + i;
    }
    return kNone;
  }
  const void* const found = std::memchr(labels, label, count);
  if (found == nullptr) return kNone;
  return first + static_cast<NodeId>(static_cast<const std::uint8_t*>(found) - labels);
}

inline AhoCorasick::NodeId AhoCorasick::StepsInChain(NodeId node,
                                                     std::string_view text) const noexcept {
  if (!IsInChain(node)) return 0;
  const std::size_t most = std::min<std::size_t>(chain_.last - node, text.size());
  const auto* const labels = reinterpret_cast<const char*>(labels_.data());
  return static_cast<NodeId>(CountSame(labels + node + 1, text.data(), most));
}

inline AhoCorasick::Descent AhoCorasick::Descend(NodeId node, std::string_view text,
                                                 std::size_t position) const noexcept {
  if (!steps_.table.empty()) return DescendByTable(node, text, position);
  while (position < text.size()) {
    const NodeId child = Child(node, ByteAt(text, position));
    if (child == kNone) return {.node = node, .position = position, .has_failed = true};
    const NodeId steps = StepsInChain(child, text.substr(++position));
    position += steps;
    node = child + steps;
    if (EndsPattern(node)) break;
  }
  return {.node = node, .position = position, .has_failed = false};
}

inline AhoCorasick::Descent AhoCorasick::DescendByTable(NodeId node, std::string_view text,
                                                        std::size_t position) const noexcept {
  const std::uint32_t* const table = steps_.table.data();
  const std::uint8_t* const columns = steps_.columns.data();
  const unsigned row_bits = steps_.row_bits;
  std::size_t row = node << row_bits;
  while (position < text.size()) {
    const std::uint32_t step = table[row + columns[ByteAt(text, position)]];
    if (step < Steps::kStops) {
      row = step;
      ++position;
      continue;
    }
    if (step == Steps::kNoChild) {
      return {
          .node = static_cast<NodeId>(row >> row_bits), .position = position, .has_failed = true};
    }
    node = (step & ~Steps::kStops) >> row_bits;
    const NodeId steps = StepsInChain(node, text.substr(++position));
    position += steps;
    node += steps;
    if (EndsPattern(node)) return {.node = node, .position = position, .has_failed = false};
    row = node << row_bits;
  }
  return {.node = static_cast<NodeId>(row >> row_bits), .position = position, .has_failed = false};
}

std::size_t AhoCorasick::DepthOf(NodeId node) const noexcept {
  const auto above = std::upper_bound(level_begin_.begin(), level_begin_.end(), node);
  return static_cast<std::size_t>(above - level_begin_.begin()) - 1;
}

inline std::size_t AhoCorasick::ShallowDepthOf(NodeId node) const noexcept {
  std::size_t depth = 0;
  while (node >= shallow_[depth]) ++depth;
  return depth;
}

inline const AhoCorasick::Ending& AhoCorasick::EndingAt(NodeId node) const noexcept {
  if (!steps_.table.empty()) {
    return endings_.data()[steps_.table.data()[LastStepOf(node)]];
  }
  return *std::ranges::lower_bound(endings_, node, {}, &Ending::node);
}

Scanned AhoCorasick::Scan(std::string_view text, MatchState& state, std::span<Match> room) const {
  if (endings_.empty()) return {.bytes = text.size()};
  Scanned scanned;
  std::size_t position = 0;
  NodeId node = state.node;
  struct {
    NodeId node = kRoot;
    std::size_t position = 0;
    std::size_t matches = 0;
    bool filtered_since = false;  // whether the filter was asked
  } failed;                       // last
  while (position < text.size() && scanned.matches < room.size()) {
    if (node == kRoot) {
      position = filter_.FirstCandidate(text, position);
      failed.filtered_since = true;
      if (position == text.size()) break;
    }
    const Descent descent = Descend(node, text, position);
    node = descent.node;
    position = descent.position;
    if (!descent.has_failed) {
      if (!EndsPattern(node)) break;
      const Ending& ending = EndingAt(node);
      room[scanned.matches++] = {
          .end = position, .length = ending.length, .pattern = ending.pattern};
      if (IsLeaf(node)) node = nodes_.data()[node].failure;
    } else if (node == kRoot) {
      ++position;
    } else {
      // Where it failed first the same way a moment ago, it goes on so as long as the text repeats.
      if (position != failed.position) {
        if (node == failed.node && position > failed.position &&
            scanned.matches == failed.matches) {
          position += RepeatedBytes(text, position, position - failed.position,
                                    failed.filtered_since ? filter_.window() : 0);
        }
        failed = {.node = node, .position = position, .matches = scanned.matches};
        if (position == text.size()) break;
        if (Child(node, ByteAt(text, position)) != kNone) continue;
      }
      node = nodes_.data()[node].failure;
      // The filter is faster than the automaton, and every beginning before this one is ruled out.
      if (node >= shallow_end_) continue;
      const std::size_t depth = ShallowDepthOf(node);
      if (depth > position) continue;  // it begins in an earlier piece
      position -= depth;
      node = kRoot;
    }
  }
  scanned.bytes = position;
  state = {.pending = DepthOf(node), .node = node};
  return scanned;
}

std::size_t AhoCorasick::memory_bytes() const noexcept {
  return nodes_.capacity() * sizeof(Node) + labels_.capacity() +
         endings_.capacity() * sizeof(Ending) +
         (level_begin_.capacity() + root_children_.capacity()) * sizeof(NodeId) +
         steps_.table.capacity() * sizeof(std::uint32_t) + steps_.columns.capacity() +
         filter_.memory_bytes();
}

}  // namespace qarion::secrets::scrub
