// One stream on its way through the scrubber.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "qarion/secrets/scrubber.h"
#include "qarion/secrets/secret.h"
#include "scrub/matcher.h"
#include "scrub/pattern_set.h"

namespace qarion::secrets::internal {

// Offsets count from the beginning of the stream:
//
//   released_ <= position_             what is before released_ has been passed on
//   tail_begin() <= position_          from there the bytes are kept in tail_, because they could
//                                      be the beginning of a value
//
// released_ lies behind tail_begin() where the kept bytes begin with covered ones: their mask is
// out already, since it stays whatever follows. The bytes are kept all the same, for a value that
// is added later may begin with them.
//
// Thread-safety: one thread at a time.
class StreamState {
 public:
  StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink);

  // Where the sink throws, what it did not take is lost and the next Write() begins a new stream.
  void Write(std::string_view bytes);
  void Finish();
  std::size_t held() const noexcept { return static_cast<std::size_t>(position_ - released_); }

 private:
  using Offset = std::uint64_t;
  struct Range {
    Offset begin = 0;
    Offset end = 0;
  };

  void TakeUpChanges();
  std::size_t Scan(std::string_view text);
  void Cover(Range range);
  void Release(Offset limit);
  void PassOn(Offset begin, Offset end);
  void Keep();
  void Reset();

  std::string_view Tail() const noexcept { return tail_.Reveal().substr(tail_skip_); }
  Offset tail_begin() const noexcept { return chunk_begin_ - Tail().size(); }

  std::shared_ptr<PatternSet> patterns_;
  StreamScrubber::Sink sink_;
  CompiledPatterns compiled_;
  scrub::MatchState match_state_;
  std::array<scrub::Match, 64> matches_;  // of one scan

  Offset position_ = 0;
  Offset released_ = 0;
  bool after_mask_ = false;    // the last thing passed on was a mask
  std::deque<Range> covered_;  // in order, apart from each other, not yet passed on

  SecretBuffer tail_;          // what was kept when the chunk began
  std::size_t tail_skip_ = 0;  // bytes at its beginning that have been let go
  std::string_view chunk_;     // what is being written
  Offset chunk_begin_ = 0;
};

}  // namespace qarion::secrets::internal
