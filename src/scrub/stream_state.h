// One stream on its way through the scrubber.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "qarion/secrets/scrubber.h"
#include "qarion/secrets/secret.h"
#include "scrub/covered_ranges.h"
#include "scrub/pattern_set.h"
#include "scrub/scanner.h"
#include "scrub/wrapped_base64.h"

namespace qarion::secrets::internal {

// Offsets count from the beginning of the stream:
//
//   released_ <= position              what is before released_ has been passed on
//   tail_begin() <= position           from there the bytes are kept in tail_, because they could
//                                      be the beginning of an occurrence
//
// released_ lies behind tail_begin() where the kept bytes begin with covered ones: their mask is
// out already, since it stays whatever follows. The bytes are kept all the same, for an occurrence
// may begin with them.
//
// Thread-safety: one thread at a time.
class StreamState final : private scrub::OccurrenceSink {
 public:
  StreamState(std::shared_ptr<PatternSet> patterns, StreamScrubber::Sink sink,
              StreamScrubber::Listener listener);

  // Where the sink throws, what it did not take is lost and the next Write() begins a new stream.
  void Write(std::string_view bytes);
  void Finish();
  std::size_t held() const noexcept {
    return static_cast<std::size_t>(scanner_.position() - released_);
  }

 private:
  using Offset = scrub::Offset;
  using Range = scrub::CoveredRanges::Range;
  struct Found {
    Range range;
    scrub::OwnerId owner = 0;
  };

  void OnOccurrence(const scrub::Pattern& pattern, Offset begin, Offset end) override;

  void TakeUpChanges();
  bool LookIfClean(std::string_view bytes);
  void PassOnClean(std::string_view bytes);
  void Look(std::string_view kept, std::string_view fresh);
  std::size_t Pending() const noexcept;
  std::size_t RunBefore(std::size_t pending) const noexcept;

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

  scrub::Scanner scanner_;
  scrub::WrappedBase64 wrapped_;

  Offset released_ = 0;
  bool after_mask_ = false;       // the last thing passed on was a mask
  scrub::CoveredRanges covered_;  // not yet passed on

  std::vector<Found> found_;      // not yet told
  std::vector<Found> last_told_;  // of each owner

  SecretBuffer tail_;          // what was kept when the chunk began
  std::size_t tail_skip_ = 0;  // bytes at its beginning that have been let go
  int byte_before_tail_ = scrub::kNoByte;
  std::size_t run_before_tail_ = 0;  // of base64
  std::string_view chunk_;           // what is being written
  Offset chunk_begin_ = 0;
};

}  // namespace qarion::secrets::internal
