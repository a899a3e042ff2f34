// One stream on its way through the scrubber.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "qarion/secrets/secret.h"
#include "scrub/finder.h"
#include "scrub/pattern_set.h"

namespace qarion::secrets::internal {

// Offsets count from the beginning of the stream:
//
//   released_ <= position_             what is before released_ has been passed on
//   tail_begin() <= position_          from there the bytes are kept in tail_, because they could
//                                      be the beginning of an occurrence
//
// released_ lies behind tail_begin() where the kept bytes begin with covered ones: their mask is
// out already, since it stays whatever follows. The bytes are kept all the same, for an occurrence
// may begin with them.
//
// Thread-safety: one thread at a time.
class StreamState final : private scrub::Findings {
 public:
  StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink,
              StreamScrubber::Listener listener);

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
  // A long pattern of which the text so far is the beginning.
  struct Unfinished {
    const scrub::Pattern* pattern = nullptr;
    Offset begin = 0;
    bool has_lead = false;
    std::size_t matched = 0;  // bytes; more than its length where what follows belongs to it
  };
  struct Found {
    Range range;
    scrub::OwnerId owner = 0;
  };

  void OnOccurrence(const scrub::Pattern& pattern, std::size_t begin, std::size_t end) override;
  void OnUnfinished(const scrub::Pattern& pattern, std::size_t begin) override;

  void TakeUpChanges();
  void Look(std::string_view kept, std::string_view fresh);
  void LookAcross(std::string_view kept, std::string_view fresh, bool ends_stream);
  void LookIn(const scrub::Piece& piece, Offset begin);
  void RunAutomaton(std::string_view fresh);
  bool GoOn(Unfinished& unfinished, std::string_view fresh);
  std::size_t PendingBehind(std::string_view kept, std::string_view fresh) const;

  void Cover(Range range);
  void Release(Offset limit);
  void PassOn(Offset begin, Offset end);
  void Tell(Offset limit);
  void Keep();
  void Reset();

  std::string_view Tail() const noexcept { return tail_.Reveal().substr(tail_skip_); }
  Offset tail_begin() const noexcept { return chunk_begin_ - Tail().size(); }

  std::shared_ptr<PatternSet> patterns_;
  StreamScrubber::Sink sink_;
  StreamScrubber::Listener listener_;
  CurrentView view_;

  Offset position_ = 0;
  Offset released_ = 0;
  std::size_t pending_ = 0;    // bytes before position_ that may begin an occurrence
  bool after_mask_ = false;    // the last thing passed on was a mask
  std::deque<Range> covered_;  // in order, apart from each other, not yet passed on
  std::vector<Unfinished> unfinished_;
  std::size_t gone_on_ = 0;  // of them, those that know of all bytes up to position_
  scrub::MatchState automaton_state_;

  std::vector<Found> found_;      // not yet told
  std::vector<Found> last_told_;  // of each owner

  std::string_view piece_;  // what LookIn() looks at
  Offset piece_begin_ = 0;
  std::vector<char, core::SecretAllocator<char>> seam_;

  SecretBuffer tail_;          // what was kept when the chunk began
  std::size_t tail_skip_ = 0;  // bytes at its beginning that have been let go
  int byte_before_tail_ = scrub::kNoByte;
  std::string_view chunk_;  // what is being written
  Offset chunk_begin_ = 0;
};

}  // namespace qarion::secrets::internal
