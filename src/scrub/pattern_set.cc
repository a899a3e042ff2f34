#include "scrub/pattern_set.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/forms.h"
#include "scrub/lines.h"

namespace qarion::secrets::internal {

PatternSet::PatternSet(ScrubberOptions options)
    : options_(std::move(options)),
      rules_{.forms = options_.forms, .min_length = options_.min_length} {
  Publish();
}

bool PatternSet::IsAllowed(std::string_view value) const {
  return std::ranges::find(options_.allow, value) != options_.allow.end();
}

bool PatternSet::IsLetThrough(std::string_view value) const {
  return value.size() < options_.min_length || scrub::IsWhiteSpace(value) || IsAllowed(value);
}

void PatternSet::InsertForms(const Secret& value, scrub::OwnerId owner,
                             scrub::PatternIndex& index) const {
  scrub::ForEachForm(value.Reveal(), rules_, [&](const scrub::FormText& form) {
    if (!IsAllowed(form.text)) index.Insert(form, owner);
  });
}

void PatternSet::Add(const Secret& value, std::string_view name) {
  const std::array<NamedSecret, 1> one = {{{.name = std::string(name), .value = value.Share()}}};
  Add(one);
}

void PatternSet::Add(std::span<const NamedSecret> values) {
  const std::lock_guard changing(changing_);
  std::vector<Values::iterator> added;
  added.reserve(values.size());
  bool has_new = false;
  try {
    for (const NamedSecret& one : values) {
      if (IsLetThrough(one.value.Reveal())) continue;
      const auto [at, is_new] = values_.try_emplace(one.value.Share());
      ++at->second.times;
      added.push_back(at);
      if (!is_new) continue;
      has_new = true;
      at->second.owner = index_.NewOwner(one.name);
      InsertForms(at->first, *at->second.owner, index_);
    }
    if (!has_new) return;
    Publish();
  } catch (...) {  // no memory: as if none had been added
    core::WipeTraces();
    for (const Values::iterator at : added) {
      if (--at->second.times != 0) continue;
      if (at->second.owner) index_.Retire(*at->second.owner);
      values_.erase(at);
    }
    throw;
  }
  Settle();
  core::WipeTraces();
}

// What was added is in effect already: that only makes it faster.
void PatternSet::Settle() {
  try {
    if (index_.Settle()) Publish();
  } catch (const std::bad_alloc&) {
    return;
  }
}

void PatternSet::Remove(std::string_view value) {
  const std::lock_guard changing(changing_);
  const auto at = values_.find(value);
  if (at == values_.end() || --at->second.times != 0) return;
  index_.Retire(at->second.owner.value());
  values_.erase(at);
  ++retired_;
  Publish();
  RebuildIfMuchIsRetired();
  core::WipeTraces();
}

// What is retired is still in memory, and slows the rest down a little. It stays where there is no
// memory for another index.
void PatternSet::RebuildIfMuchIsRetired() {
  constexpr std::size_t kFewRetired = 16;
  if (retired_ <= kFewRetired + values_.size() / 4) return;
  try {
    scrub::PatternIndex fresh;
    std::vector<scrub::OwnerId> owners;
    owners.reserve(values_.size());
    for (const auto& [value, entry] : values_) {
      owners.push_back(fresh.NewOwner(index_.NameOf(entry.owner.value())));
      InsertForms(value, owners.back(), fresh);
    }
    fresh.Settle();
    std::swap(index_, fresh);
    auto owner = owners.begin();
    for (auto& [value, entry] : values_) entry.owner = *owner++;
    retired_ = 0;
    Publish();
  } catch (const std::bad_alloc&) {
    return;
  }
}

void PatternSet::Publish() {
  CurrentView fresh{.index = index_.View(), .generation = generation() + 1};
  {
    const std::lock_guard lock(mutex_);
    std::swap(current_, fresh);  // the old one goes after the lock is gone
    generation_.store(current_.generation, std::memory_order_release);
  }
}

CurrentView PatternSet::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::size_t PatternSet::size() const {
  const std::lock_guard changing(changing_);
  return values_.size();
}

}  // namespace qarion::secrets::internal
