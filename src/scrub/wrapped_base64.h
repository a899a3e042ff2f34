// Base64 that is broken into lines: found as if the line breaks were not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "qarion/secrets/secret.h"
#include "scrub/scanner.h"

namespace qarion::secrets::scrub {

// A block is lines of base64 of which all but the last have 64 characters (RFC 7468) or all 76 (RFC
// 2045, and what base64(1) does), and nothing before them but blanks, 64 at most, from the second
// line on. Its first line may follow other text.
//
// Thread-safety: one thread at a time.
class WrappedBase64 final : private OccurrenceSink {
 public:
  // What is before counts no more, but for how many characters of base64 it ends with.
  void Restart(std::size_t run = 0) noexcept;

  // Goes on with `fresh`, which stands at `begin`, behind `kept`. `line_ends`: of `fresh`, as a
  // Scanner finds them.
  void Look(const IndexView& view, std::string_view kept, std::string_view fresh,
            std::span<const std::size_t> line_ends, Offset begin, OccurrenceSink& sink);

  // Whether it is likely that LookIfClean() will do for the text. Takes little time.
  bool MayBeClean(const IndexView& view, std::string_view fresh) const;
  // The same as Look() for a text in which HasNoPattern(), and with no automaton, if it is sure at
  // once that nothing of a block is in it but perhaps the first line of one at its end.
  // MayBeClean() has been asked. Else changes nothing and returns false. `fresh`: kBatchBytes at
  // most.
  bool LookIfClean(const IndexView& view, std::string_view fresh, Offset begin);

  // How many characters of base64 the text so far ends with, as RunAfter() counts them.
  std::size_t run() const noexcept { return run_; }
  // How many `text` ends with where `before` are before it, up to one more than a wide line has.
  static std::size_t RunAfter(std::size_t before, std::string_view text) noexcept;

  // Number of bytes before `position`, the end of the text so far, that may begin an occurrence.
  std::size_t PendingBefore(Offset position) const noexcept {
    return state_ == State::kOutside || joined_.pending() == 0 ? 0 : PendingInBlock(position);
  }

 private:
  enum class State : std::uint8_t { kOutside, kInLine, kAfterCarriageReturn, kBeforeLine };
  // Where in the text the characters from `joined` on stand.
  struct Line {
    Offset joined = 0;
    Offset text = 0;
  };

  // Of the beginning of what is being looked at.
  std::size_t RunAtEnd(std::string_view text) const noexcept { return RunAfter(run_, text); }
  // `fresh`: kBytes at most.
  template <std::size_t kBytes>
  [[gnu::noinline]] bool LookIfCleanWithin(const IndexView& view, std::string_view fresh,
                                           Offset begin);
  std::size_t LeaveOutside(const IndexView& view, std::string_view kept, std::string_view fresh,
                           std::size_t from, std::span<const std::size_t> line_ends, Offset begin);
  bool EndLine() noexcept;
  void BeginBlock(Offset first);
  void Skip(std::string_view fresh) noexcept;
  Offset GatheredEnd() const noexcept { return joined_.position() + gathered_.size(); }
  void LeaveBlock(const IndexView& view);
  void Leave() noexcept;
  void LookAtGathered(const IndexView& view);
  void OnOccurrence(const Pattern& pattern, Offset begin, Offset end) override;
  std::size_t PendingInBlock(Offset position) const noexcept;
  Offset InText(Offset joined) const noexcept;

  State state_ = State::kOutside;
  std::size_t run_ = 0;          // outside: characters of base64 at the end of the text so far
  std::size_t width_ = 0;        // of the lines
  std::size_t column_ = 0;       // characters of the line so far
  std::size_t after_pad_ = 0;    // those behind the last padding in it
  std::size_t other_width_ = 0;  // of the lines, if a block began behind padding in the last one
  std::size_t blanks_ = 0;       // before the line

  Scanner joined_{Scanner::Kinds::kBase64Alone};
  SecretBuffer joined_kept_;
  SecretBuffer gathered_;  // characters of the block that joined_ has not seen
  std::vector<Line> lines_;
  OccurrenceSink* sink_ = nullptr;  // of the call of Look() that is under way
};

}  // namespace qarion::secrets::scrub
