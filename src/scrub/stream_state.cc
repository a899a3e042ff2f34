#include "scrub/stream_state.h"

#include <algorithm>
#include <utility>

namespace qarion::secrets::internal {

StreamState::StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink)
    : patterns_(std::move(patterns)), sink_(std::move(sink)), compiled_(patterns_->Compiled()) {}

void StreamState::Write(std::string_view bytes) {
  TakeUpChanges();
  chunk_ = bytes;
  try {
    while (!bytes.empty()) {
      bytes.remove_prefix(Scan(bytes));
      Release(position_ - match_state_.pending);
    }
  } catch (...) {
    Reset();
    throw;
  }
  Keep();
}

void StreamState::Finish() {
  TakeUpChanges();
  try {
    Release(position_);
  } catch (...) {
    Reset();
    throw;
  }
  Reset();
}

void StreamState::Reset() {
  match_state_ = {};
  released_ = position_;
  after_mask_ = false;
  covered_.clear();
  chunk_ = {};
  Keep();
}

// Looks at the kept bytes with the eyes of the new set. Values are never taken away, so it finds
// again what the old one covered of them; what began before them has been released.
void StreamState::TakeUpChanges() {
  if (patterns_->generation() == compiled_.generation) return;
  compiled_ = patterns_->Compiled();
  match_state_ = {};
  covered_.clear();
  std::string_view kept = Tail();
  position_ -= kept.size();
  while (!kept.empty()) kept.remove_prefix(Scan(kept));
}

// Goes through the beginning of `text`, which stands at position_; returns how far it went.
std::size_t StreamState::Scan(std::string_view text) {
  const scrub::Scanned scanned = compiled_.matcher->Scan(text, match_state_, matches_);
  for (std::size_t i = 0; i < scanned.matches; ++i) {
    const Offset end = position_ + matches_[i].end;
    Cover({.begin = end - matches_[i].length, .end = end});
  }
  position_ += scanned.bytes;
  return scanned.bytes;
}

// `range` ends behind all that are covered so far. Joins what overlaps or touches.
void StreamState::Cover(Range range) {
  range.begin = std::max(range.begin, released_);
  if (range.end <= range.begin) return;
  while (!covered_.empty() && covered_.back().end >= range.begin) {
    range.begin = std::min(range.begin, covered_.back().begin);
    covered_.pop_back();
  }
  covered_.push_back(range);
}

// Passes on everything before `limit`, and the mask of a covered range that begins no later.
void StreamState::Release(Offset limit) {
  for (;;) {
    if (!covered_.empty() && covered_.front().begin <= released_) {
      if (!std::exchange(after_mask_, true)) sink_(kMask);
      released_ = covered_.front().end;
      covered_.pop_front();
    } else if (released_ < limit) {
      const Offset end = covered_.empty() ? limit : std::min(limit, covered_.front().begin);
      PassOn(released_, end);
      released_ = end;
      after_mask_ = false;
    } else {
      return;
    }
  }
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

// Lets go of the chunk and keeps what could be the beginning of a value. Bytes are moved only as
// often as they were let go, so that writing a byte at a time stays linear.
void StreamState::Keep() {
  const std::size_t pending = match_state_.pending;
  if (pending <= chunk_.size()) {
    tail_.Clear();
    tail_skip_ = 0;
    tail_.Append(chunk_.substr(chunk_.size() - pending));
  } else {
    tail_.Append(chunk_);
    tail_skip_ = tail_.size() - pending;
    if (tail_skip_ > tail_.size() / 2) {
      tail_.RemovePrefix(tail_skip_);
      tail_skip_ = 0;
    }
  }
  chunk_ = {};
  chunk_begin_ = position_;
}

}  // namespace qarion::secrets::internal
