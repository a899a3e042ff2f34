// Follows patterns through a text that arrives in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "scrub/covered_ranges.h"
#include "scrub/finder.h"

namespace qarion::secrets::scrub {

class OccurrenceSink {
 public:
  // In no order, and perhaps more than once or first shorter than it is.
  virtual void OnOccurrence(const Pattern& pattern, Offset begin, Offset end) = 0;

 protected:
  ~OccurrenceSink() = default;
};

// Does not keep the text: whoever uses it keeps the last pending() bytes.
//
// Thread-safety: one thread at a time.
class Scanner final : private Findings {
 public:
  enum class Kinds { kAll, kBase64Alone };

  explicit Scanner(Kinds kinds = Kinds::kAll) : kinds_(kinds) {}

  // What is before `position` counts no more.
  void Restart(Offset position);

  // Goes on with `fresh` behind `kept`, which is the last bytes so far, at least pending(), and has
  // `byte_before` before it.
  void Look(const IndexView& view, std::string_view kept, int byte_before, std::string_view fresh,
            OccurrenceSink& sink);
  // The same where nothing follows that counts: leaves pending() as it was. Restart() comes next.
  void LookAtLast(const IndexView& view, std::string_view kept, std::string_view fresh,
                  OccurrenceSink& sink);
  // Whether it is sure at once that Look() would find nothing: HasNoPattern() in `fresh`, what is
  // before it does not go on, and there is no automaton. `fresh`: kBatchBytes at most.
  bool IsClean(const IndexView& view, std::string_view kept, std::string_view fresh) const;
  // The same as Look() of a text in which it would find nothing, and before which nothing goes on.
  void Skip(const IndexView& view, std::string_view fresh) {
    position_ += fresh.size();
    pending_ = PendingAt(view, ActiveKernels(), fresh, kinds_ == Kinds::kBase64Alone);
  }
  // Looks at a text that is all there.
  void LookAtWhole(const IndexView& view, std::string_view text, OccurrenceSink& sink);
  // The text ends here.
  void End(const IndexView& view, std::string_view kept, int byte_before, OccurrenceSink& sink);

  Offset position() const noexcept { return position_; }
  // Number of bytes before position() that may begin an occurrence, or belong to one that is told
  // already and may go on.
  std::size_t pending() const noexcept { return pending_; }
  // Where lines of what was looked at last end that may be of wrapped base64 (Piece); none where
  // that is not looked for.
  std::span<const std::size_t> line_ends() const noexcept { return line_ends_; }

 private:
  // A pattern of which the text so far is the beginning.
  struct Unfinished {
    const Pattern* pattern = nullptr;
    Offset begin = 0;
    bool has_lead = false;
    std::size_t matched = 0;  // bytes; more than its length where what follows belongs to it
  };

  void OnOccurrence(const Pattern& pattern, std::size_t begin, std::size_t end) override;
  void OnUnfinished(const Pattern& pattern, std::size_t begin) override;

  bool Counts(const Pattern& pattern) const noexcept {
    return kinds_ == Kinds::kAll || pattern.kind == PatternKind::kBase64;
  }
  void LookAt(std::string_view kept, int byte_before, std::string_view fresh);
  void LookAcross(std::string_view kept, int byte_before, std::string_view fresh, bool ends);
  void LookIn(const Piece& piece, Offset begin);
  std::vector<std::size_t>* LineEnds();
  void RunAutomaton(std::string_view kept, std::string_view fresh);
  void OnMatch(const Pattern& pattern, std::string_view kept, std::string_view fresh,
               std::size_t end);
  template <typename GoesOn>
  void DropUnless(GoesOn goes_on, std::size_t first = 0);
  bool GoOn(Unfinished& unfinished, std::string_view fresh);
  std::size_t PendingBehind(std::string_view kept, std::string_view fresh) const;

  const Kinds kinds_;
  Offset position_ = 0;
  std::size_t pending_ = 0;
  std::vector<Unfinished> unfinished_;
  std::set<std::pair<Offset, const Pattern*>> known_;  // those
  MatchState automaton_state_;
  core::SecretVector<char> seam_;
  std::vector<std::size_t> line_ends_;

  // Of the call of Look() or End() that is under way.
  const IndexView* view_ = nullptr;
  OccurrenceSink* sink_ = nullptr;
  std::string_view piece_;
  Offset piece_begin_ = 0;
};

}  // namespace qarion::secrets::scrub
