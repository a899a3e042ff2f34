#include "scrub/stream_state.h"

#include <algorithm>
#include <utility>

namespace qarion::secrets::internal {
namespace {

using scrub::kNoByte;
using scrub::kShortLength;

// Of the kept bytes, those in which a short pattern can begin that is not found yet, and the one
// before it; of the bytes behind, those that such a pattern and what belongs to it can reach.
constexpr std::size_t kSeamBefore = kShortLength + 1;
constexpr std::size_t kSeamBehind = kShortLength + 4;

int LastByte(std::string_view text, int otherwise) {
  return text.empty() ? otherwise : static_cast<unsigned char>(text.back());
}

std::string_view LastBytes(std::string_view text, std::size_t count) {
  return text.substr(text.size() - std::min(text.size(), count));
}

}  // namespace

StreamState::StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink,
                         StreamScrubber::Listener listener)
    : patterns_(std::move(patterns)),
      sink_(std::move(sink)),
      listener_(std::move(listener)),
      view_(patterns_->Current()) {}

void StreamState::Write(std::string_view bytes) {
  if (bytes.empty()) return;
  TakeUpChanges();
  chunk_ = bytes;
  try {
    Look(Tail(), bytes);
    Release(position_ - pending_);
  } catch (...) {
    Reset();
    throw;
  }
  Keep();
}

void StreamState::Finish() {
  TakeUpChanges();
  try {
    LookAcross(Tail(), {}, true);
    Release(position_);
  } catch (...) {
    Reset();
    throw;
  }
  Reset();
}

void StreamState::Reset() {
  unfinished_.clear();
  automaton_state_ = {};
  pending_ = 0;
  released_ = position_;
  after_mask_ = false;
  covered_.clear();
  found_.clear();
  last_told_.clear();
  chunk_ = {};
  Keep();
  byte_before_tail_ = kNoByte;
}

// Looks at the kept bytes with the eyes of the new set; what began before them has been released.
void StreamState::TakeUpChanges() {
  if (patterns_->generation() == view_.generation) return;
  view_ = patterns_->Current();
  unfinished_.clear();
  automaton_state_ = {};
  covered_.clear();
  found_.clear();
  const std::string_view kept = Tail();
  position_ -= kept.size();
  Look({}, kept);
}

// Goes on behind `kept`, which ends at position_, with `fresh`.
void StreamState::Look(std::string_view kept, std::string_view fresh) {
  const Offset begin = position_;
  std::erase_if(unfinished_, [&](Unfinished& one) { return !GoOn(one, fresh); });
  if (!kept.empty()) LookAcross(kept, fresh, false);
  LookIn({.text = fresh, .byte_before = LastByte(kept, byte_before_tail_)}, begin);
  RunAutomaton(fresh);
  position_ = begin + fresh.size();
  pending_ = PendingBehind(kept, fresh);
}

// Finds what begins in `kept` or just behind it.
void StreamState::LookAcross(std::string_view kept, std::string_view fresh, bool ends_stream) {
  if (kept.empty()) return;
  const std::string_view before = LastBytes(kept, kSeamBefore);
  const std::string_view behind = fresh.substr(0, kSeamBehind);
  seam_.resize(before.size() + behind.size());
  core::CopySecretBytes(seam_.data(), before.data(), before.size());
  core::CopySecretBytes(seam_.data() + before.size(), behind.data(), behind.size());
  const std::size_t known = unfinished_.size();
  LookIn({.text = {seam_.data(), seam_.size()},
          .begin_before = before.size() + 1,
          .byte_before = LastByte(kept.substr(0, kept.size() - before.size()), byte_before_tail_),
          .ends_stream = ends_stream},
         position_ - before.size());
  // The new ones know of what was copied alone.
  const std::string_view rest = fresh.substr(behind.size());
  const auto first_new = unfinished_.begin() + static_cast<std::ptrdiff_t>(known);
  unfinished_.erase(std::remove_if(first_new, unfinished_.end(),
                                   [&](Unfinished& one) { return !GoOn(one, rest); }),
                    unfinished_.end());
}

void StreamState::LookIn(const scrub::Piece& piece, Offset begin) {
  piece_ = piece.text;
  piece_begin_ = begin;
  scrub::FindIn(view_.index, scrub::ActiveKernels(), piece, *this);
}

void StreamState::OnOccurrence(const scrub::Pattern& pattern, std::size_t begin, std::size_t end) {
  const Range range{.begin = piece_begin_ + begin, .end = piece_begin_ + end};
  Cover(range);
  if (listener_) found_.push_back({.range = range, .owner = pattern.owner});
}

void StreamState::OnUnfinished(const scrub::Pattern& pattern, std::size_t begin) {
  const Offset offset = piece_begin_ + begin;
  const auto is_this = [&](const Unfinished& one) {
    return one.pattern == &pattern && one.begin == offset;
  };
  if (std::ranges::any_of(unfinished_, is_this)) return;
  unfinished_.push_back({.pattern = &pattern,
                         .begin = offset,
                         .has_lead = begin > 0 && scrub::IsLead(pattern, static_cast<unsigned char>(
                                                                             piece_[begin - 1])),
                         .matched = piece_.size() - begin});
}

// Whether all of `fresh` may belong to it.
bool StreamState::GoOn(Unfinished& unfinished, std::string_view fresh) {
  const scrub::Pattern& pattern = *unfinished.pattern;
  if (unfinished.matched < pattern.length) {
    const std::size_t count = std::min(pattern.length - unfinished.matched, fresh.size());
    if (!scrub::Equal(pattern.text + unfinished.matched, fresh.data(), count)) return false;
    unfinished.matched += count;
    if (unfinished.matched < pattern.length) return true;
    fresh.remove_prefix(count);
  }
  const std::size_t seen = unfinished.matched - pattern.length;
  const scrub::Trail trail = scrub::TrailAfter(pattern, seen, fresh);
  unfinished.matched += trail.bytes;
  const Range range{.begin = unfinished.begin - (unfinished.has_lead ? 1 : 0),
                    .end = unfinished.begin + unfinished.matched};
  Cover(range);
  if (listener_) found_.push_back({.range = range, .owner = pattern.owner});
  return trail.more;
}

void StreamState::RunAutomaton(std::string_view fresh) {
  if (view_.index.repeating == nullptr) return;
  const scrub::RepeatingPatterns& repeating = *view_.index.repeating;
  std::array<scrub::Match, 64> matches;
  Offset begin = position_;
  while (!fresh.empty()) {
    const scrub::Scanned scanned = repeating.automaton.Scan(fresh, automaton_state_, matches);
    for (std::size_t i = 0; i < scanned.matches; ++i) {
      const Offset end = begin + matches[i].end;
      const Range range{.begin = end - matches[i].length, .end = end};
      Cover(range);
      if (listener_)
        found_.push_back({.range = range, .owner = repeating.owners[matches[i].pattern]});
    }
    begin += scanned.bytes;
    fresh.remove_prefix(scanned.bytes);
  }
}

std::size_t StreamState::PendingBehind(std::string_view kept, std::string_view fresh) const {
  constexpr std::size_t kEnd = kShortLength + 1;
  std::array<char, kEnd> joined;
  std::string_view end = LastBytes(fresh, kEnd);
  if (end.size() < kEnd && !kept.empty()) {
    const std::string_view before = LastBytes(kept, kEnd - end.size());
    core::CopySecretBytes(joined.data(), before.data(), before.size());
    core::CopySecretBytes(joined.data() + before.size(), end.data(), end.size());
    end = {joined.data(), before.size() + end.size()};
  }
  std::size_t pending = scrub::PendingAt(view_.index, end);
  for (const Unfinished& one : unfinished_) {
    const Offset begin = one.begin - (one.has_lead ? 1 : 0);
    pending = std::max(pending, static_cast<std::size_t>(position_ - begin));
  }
  return std::max(pending, automaton_state_.pending);
}

// Joins what overlaps or touches.
void StreamState::Cover(Range range) {
  range.begin = std::max(range.begin, released_);
  if (range.end <= range.begin) return;
  auto last = covered_.end();
  while (last != covered_.begin() && std::prev(last)->begin > range.end) --last;
  auto first = last;
  while (first != covered_.begin() && std::prev(first)->end >= range.begin) {
    --first;
    range.begin = std::min(range.begin, first->begin);
    range.end = std::max(range.end, first->end);
  }
  if (first == last) {
    covered_.insert(first, range);
  } else {
    *first = range;
    covered_.erase(first + 1, last);
  }
}

// Passes on everything before `limit`, and the mask of a covered range that begins no later.
void StreamState::Release(Offset limit) {
  for (;;) {
    if (!covered_.empty() && covered_.front().begin <= released_) {
      if (!std::exchange(after_mask_, true)) sink_(patterns_->options().mask);
      released_ = covered_.front().end;
      covered_.pop_front();
    } else if (released_ < limit) {
      const Offset end = covered_.empty() ? limit : std::min(limit, covered_.front().begin);
      PassOn(released_, end);
      released_ = end;
      after_mask_ = false;
    } else {
      break;
    }
  }
  if (!found_.empty()) Tell(released_);
}

void StreamState::PassOn(Offset begin, Offset end) {
  const auto part = [&](std::string_view bytes, Offset bytes_begin) {
    const Offset from = std::max(begin, bytes_begin);
    const Offset to = std::min(end, bytes_begin + bytes.size());
    if (from < to) sink_(bytes.substr(from - bytes_begin, to - from));
  };
  part(Tail(), tail_begin());
  part(chunk_, chunk_begin_);
}

// Tells of what was found before `limit`, each owner's overlapping occurrences once.
void StreamState::Tell(Offset limit) {
  std::ranges::sort(found_, {}, [](const Found& one) { return one.range.begin; });
  auto next = found_.begin();
  while (next != found_.end() && next->range.begin < limit) {
    Found one = *next++;
    const auto told = std::ranges::find(last_told_, one.owner, &Found::owner);
    if (told != last_told_.end() && one.range.begin < told->range.end) {
      told->range.end = std::max(told->range.end, one.range.end);
      continue;
    }
    for (auto other = next; other != found_.end() && other->range.begin < one.range.end; ++other) {
      if (other->owner == one.owner) one.range.end = std::max(one.range.end, other->range.end);
    }
    if (told == last_told_.end()) {
      last_told_.push_back(one);
    } else {
      *told = one;
    }
    listener_({.name = view_.index.store->NameOf(one.owner),
               .begin = one.range.begin,
               .end = one.range.end});
  }
  found_.erase(found_.begin(), next);
}

// Lets go of the chunk and keeps what could be the beginning of an occurrence. Bytes are moved only
// as often as they were let go, so that writing a byte at a time stays linear.
void StreamState::Keep() {
  if (pending_ <= chunk_.size()) {
    const std::size_t gone = chunk_.size() - pending_;
    byte_before_tail_ =
        gone > 0 ? LastByte(chunk_.substr(0, gone), kNoByte) : LastByte(Tail(), byte_before_tail_);
    tail_.Clear();
    tail_skip_ = 0;
    if (pending_ != 0) tail_.Append(chunk_.substr(gone));
  } else {
    tail_.Append(chunk_);
    const std::size_t skip = tail_.size() - pending_;
    if (skip > tail_skip_) byte_before_tail_ = static_cast<unsigned char>(tail_.Reveal()[skip - 1]);
    tail_skip_ = skip;
    if (tail_skip_ > tail_.size() / 2) {
      tail_.RemovePrefix(tail_skip_);
      tail_skip_ = 0;
    }
  }
  chunk_ = {};
  chunk_begin_ = position_;
}

}  // namespace qarion::secrets::internal
