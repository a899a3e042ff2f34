#include "scrub/stream_state.h"

#include <algorithm>
#include <utility>

namespace qarion::secrets::internal {

using scrub::kNoByte;
using scrub::LastByte;

StreamState::StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink,
                         StreamScrubber::Listener listener)
    : patterns_(std::move(patterns)),
      sink_(std::move(sink)),
      listener_(std::move(listener)),
      view_(patterns_->Current()) {}

void StreamState::Write(std::string_view bytes) {
  if (bytes.empty()) return;
  TakeUpChanges();
  try {
    if (LookIfClean(bytes)) {
      if (tail_.empty() && Pending() == 0) {
        PassOnClean(bytes);
        return;
      }
    } else {
      Look(Tail(), bytes);
    }
    chunk_ = bytes;
    Release(scanner_.position() - Pending());
  } catch (...) {
    Reset();
    throw;
  }
  Keep();
}

// The same as Look() if it is sure at once that there is nothing in `bytes`, as in most writes.
// Else changes nothing and returns false.
bool StreamState::LookIfClean(std::string_view bytes) {
  if (bytes.size() > scrub::kBatchBytes) return false;
  const scrub::IndexView& view = *view_.index;
  if (!wrapped_.MayBeClean(view, bytes) || !scanner_.IsClean(view, Tail(), bytes)) return false;
  if (!wrapped_.LookIfClean(view, bytes, chunk_begin_)) return false;
  scanner_.Skip(view, bytes);
  return true;
}

// What Release() and Keep() come to where nothing waited, nor has to.
void StreamState::PassOnClean(std::string_view bytes) {
  released_ = chunk_begin_ = scanner_.position();
  byte_before_tail_ = LastByte(bytes, kNoByte);
  run_before_tail_ = wrapped_.run();
  after_mask_ = false;
  sink_(bytes);
}

void StreamState::Finish() {
  TakeUpChanges();
  try {
    scanner_.End(*view_.index, Tail(), byte_before_tail_, *this);
    Release(scanner_.position());
  } catch (...) {
    Reset();
    throw;
  }
  Reset();
}

void StreamState::Reset() {
  scanner_.Restart(scanner_.position());
  wrapped_.Restart();
  released_ = scanner_.position();
  after_mask_ = false;
  covered_.Clear();
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
  covered_.Clear();
  found_.clear();
  scanner_.Restart(tail_begin());
  wrapped_.Restart(run_before_tail_);
  Look({}, Tail());
}

// Goes on behind `kept` with `fresh`.
void StreamState::Look(std::string_view kept, std::string_view fresh) {
  const Offset begin = scanner_.position();
  scanner_.Look(*view_.index, kept, byte_before_tail_, fresh, *this);
  wrapped_.Look(*view_.index, kept, fresh, scanner_.line_ends(), begin, *this);
}

// Number of bytes at the end that may begin an occurrence.
std::size_t StreamState::Pending() const noexcept {
  return std::max(scanner_.pending(), wrapped_.PendingBefore(scanner_.position()));
}

// Number of characters of base64 before the last `pending` bytes.
std::size_t StreamState::RunBefore(std::size_t pending) const noexcept {
  using scrub::WrappedBase64;
  const std::size_t of_tail = Tail().size() + chunk_.size() - pending;
  const std::string_view tail = Tail().substr(0, of_tail);
  const std::string_view chunk = chunk_.substr(0, of_tail - tail.size());
  return WrappedBase64::RunAfter(WrappedBase64::RunAfter(run_before_tail_, tail), chunk);
}

void StreamState::OnOccurrence(const scrub::Pattern& pattern, Offset begin, Offset end) {
  const Range range{.begin = begin, .end = end};
  if (range.end > released_) {
    covered_.Add({.begin = std::max(range.begin, released_), .end = range.end});
  }
  if (!listener_) return;
  // What is looked at again after a cut is found again.
  constexpr std::size_t kRecent = 256;
  const std::size_t recent = std::min(found_.size(), kRecent);
  const auto is_same = [&](const Found& one) {
    return one.owner == pattern.owner && one.range.begin == range.begin &&
           one.range.end == range.end;
  };
  if (std::any_of(found_.end() - static_cast<std::ptrdiff_t>(recent), found_.end(), is_same))
    return;
  found_.push_back({.range = range, .owner = pattern.owner});
}

// Passes on everything before `limit`, and the mask of a covered range that begins no later.
void StreamState::Release(Offset limit) {
  const Offset before = released_;
  covered_.Settle();
  for (;;) {
    if (!covered_.empty() && covered_.front().begin <= released_) {
      if (!std::exchange(after_mask_, true)) sink_(patterns_->options().mask);
      released_ = covered_.front().end;
      covered_.RemoveFront();
    } else if (released_ < limit) {
      const Offset end = covered_.empty() ? limit : std::min(limit, covered_.front().begin);
      PassOn(released_, end);
      released_ = end;
      after_mask_ = false;
    } else {
      break;
    }
  }
  if (released_ != before && !found_.empty()) Tell(released_);
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
    listener_({.name = view_.index->store->NameOf(one.owner),
               .begin = one.range.begin,
               .end = one.range.end});
  }
  found_.erase(found_.begin(), next);
}

// Lets go of the chunk and keeps what could be the beginning of an occurrence. Bytes are moved only
// as often as they were let go, so that writing a byte at a time stays linear.
void StreamState::Keep() {
  const std::size_t pending = Pending();
  run_before_tail_ = pending == 0 ? wrapped_.run() : RunBefore(pending);
  if (pending <= chunk_.size()) {
    const std::size_t gone = chunk_.size() - pending;
    byte_before_tail_ =
        gone > 0 ? LastByte(chunk_.substr(0, gone), kNoByte) : LastByte(Tail(), byte_before_tail_);
    tail_.Clear();
    tail_skip_ = 0;
    if (pending != 0) tail_.Append(chunk_.substr(gone));
  } else {
    tail_.Append(chunk_);
    const std::size_t skip = tail_.size() - pending;
    if (skip > tail_skip_) byte_before_tail_ = static_cast<unsigned char>(tail_.Reveal()[skip - 1]);
    tail_skip_ = skip;
    if (tail_skip_ > tail_.size() / 2) {
      tail_.RemovePrefix(tail_skip_);
      tail_skip_ = 0;
    }
  }
  chunk_ = {};
  chunk_begin_ = scanner_.position();
}

}  // namespace qarion::secrets::internal
