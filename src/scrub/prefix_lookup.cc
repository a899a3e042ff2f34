#include "scrub/prefix_lookup.h"

#include <algorithm>

#include "scrub/bytes.h"
#include "scrub/pattern_index.h"

namespace qarion::secrets::scrub {
namespace {

// Whether `a` is behind `b` in the order of bytes. Compares without leaving bytes in vector
// registers.
bool IsBehind(std::string_view a, std::string_view b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= common; at += sizeof(std::uint64_t)) {
    const std::uint64_t left = LoadWord(a.data() + at);
    const std::uint64_t right = LoadWord(b.data() + at);
    // As numbers with the first byte highest.
    if (left != right) return __builtin_bswap64(left) > __builtin_bswap64(right);
  }
  for (; at < common; ++at) {
    if (a[at] != b[at]) return ByteAt(a, at) > ByteAt(b, at);
  }
  return a.size() > b.size();
}

}  // namespace

PrefixLookup::PrefixLookup(const PatternStore& store, const std::vector<PatternId>& patterns)
    : store_(store), ids_(patterns.begin(), patterns.end()), shorter_(patterns.size()) {
  const auto text = [this](std::size_t i) { return store_[ids_[i]].view(); };
  std::sort(ids_.begin(), ids_.end(), [this](PatternId a, PatternId b) {
    return IsBehind(store_[b].view(), store_[a].view());
  });
  for (std::size_t i = 1; i < ids_.size(); ++i) {
    std::size_t shorter = i;
    while (shorter != 0 && !text(i).starts_with(text(shorter - 1))) shorter = shorter_[shorter - 1];
    shorter_[i] = static_cast<std::uint32_t>(shorter);
  }
}

// The place of the first one behind the text.
std::size_t PrefixLookup::FirstBehind(std::string_view text) const noexcept {
  const auto found = std::partition_point(
      ids_.begin(), ids_.end(), [&](PatternId id) { return !IsBehind(store_[id].view(), text); });
  return static_cast<std::size_t>(found - ids_.begin());
}

bool PrefixLookup::BeginsWith(PatternId id, std::string_view text) const noexcept {
  const std::string_view pattern = store_[id].view();
  return pattern.size() >= text.size() && Equal(pattern.data(), text.data(), text.size());
}

}  // namespace qarion::secrets::scrub
