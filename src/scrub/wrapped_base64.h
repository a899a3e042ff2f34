// Base64 that is broken into lines: found as if the line breaks were not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "qarion/secrets/secret.h"
#include "scrub/scanner.h"

namespace qarion::secrets::scrub {

// A block is lines of base64 of which all but the last have 64 characters (RFC 7468) or all 76 (RFC
// 2045, and what base64(1) does), and nothing before them but blanks from the second line on. Its
// first line may follow other text.
//
// Thread-safety: one thread at a time.
class WrappedBase64 final : private OccurrenceSink {
 public:
  void Restart() noexcept;

  // Goes on with `fresh`, which stands at `begin`, behind `kept`.
  void Look(const IndexView& view, std::string_view kept, std::string_view fresh, Offset begin,
            OccurrenceSink& sink);

  // Number of bytes before `position`, the end of the text so far, that may begin an occurrence.
  std::size_t PendingBefore(Offset position) const noexcept;

 private:
  enum class State : std::uint8_t { kOutside, kInLine, kAfterCarriageReturn, kBeforeLine };
  // Where in the text the characters from `joined` on stand.
  struct Line {
    Offset joined = 0;
    Offset text = 0;
  };

  std::size_t RunAtEnd(std::string_view text) const noexcept;
  std::size_t LeaveOutside(const IndexView& view, std::string_view kept, std::string_view fresh,
                           std::size_t from, Offset begin);
  void Feed(const IndexView& view, std::string_view characters);
  void OnOccurrence(const Pattern& pattern, Offset begin, Offset end) override;
  Offset InText(Offset joined) const noexcept;

  State state_ = State::kOutside;
  std::size_t run_ = 0;     // outside: characters of base64 at the end of the text so far
  std::size_t width_ = 0;   // of the lines
  std::size_t column_ = 0;  // characters of the line so far

  Scanner joined_{Scanner::Kinds::kBase64Alone};
  SecretBuffer joined_kept_;
  std::vector<Line> lines_;
  OccurrenceSink* sink_ = nullptr;  // of the call of Look() that is under way
};

}  // namespace qarion::secrets::scrub
