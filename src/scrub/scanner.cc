#include "scrub/scanner.h"

#include <algorithm>
#include <array>

namespace qarion::secrets::scrub {
namespace {

// Of the kept bytes, those in which a short pattern can begin that is not found yet, and the one
// before it; of the bytes behind, those that such a pattern and what belongs to it can reach.
constexpr std::size_t kSeamBefore = kShortLength + 1;
constexpr std::size_t kSeamBehind = kShortLength + 4;

// Both texts, one behind the other, in `room`.
std::string_view Join(std::string_view first, std::string_view second, char* room) {
  core::CopySecretBytes(room, first.data(), first.size());
  core::CopySecretBytes(room + first.size(), second.data(), second.size());
  return {room, first.size() + second.size()};
}

// Whether a pattern may begin in `before` or just behind it.
bool MayBeginAcross(const IndexView& view, std::string_view before, std::string_view behind) {
  constexpr std::size_t kFew = 8;
  if (before.size() > kFew) return true;
  std::array<char, 2 * kFew> joined;
  behind = behind.substr(0, joined.size() - before.size());
  const bool may_begin = MayBeginIn(view, Join(before, behind, joined.data()), before.size() + 1);
  core::Wipe(joined.data(), joined.size());
  return may_begin;
}

// The byte that has `count` bytes of `before` and then `text` behind it.
int ByteBehind(std::string_view before, std::string_view text, std::size_t count) {
  if (count < text.size()) return static_cast<unsigned char>(text[text.size() - 1 - count]);
  count -= text.size();
  if (count < before.size()) return static_cast<unsigned char>(before[before.size() - 1 - count]);
  return kNoByte;
}

}  // namespace

void Scanner::Restart(Offset position) {
  position_ = position;
  pending_ = 0;
  unfinished_.clear();
  known_.clear();
  automaton_state_ = {};
}

// From the one with number `first` on.
template <typename GoesOn>
void Scanner::DropUnless(GoesOn goes_on, std::size_t first) {
  const auto begin = unfinished_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto is_over = [&](Unfinished& one) {
    if (goes_on(one)) return false;
    known_.erase({one.begin, one.pattern});
    return true;
  };
  unfinished_.erase(std::remove_if(begin, unfinished_.end(), is_over), unfinished_.end());
}

void Scanner::Look(const IndexView& view, std::string_view kept, int byte_before,
                   std::string_view fresh, OccurrenceSink& sink) {
  view_ = &view;
  sink_ = &sink;
  LookAt(kept, byte_before, fresh);
  position_ += fresh.size();
  pending_ = PendingBehind(kept, fresh);
}

void Scanner::LookAtLast(const IndexView& view, std::string_view kept, std::string_view fresh,
                         OccurrenceSink& sink) {
  view_ = &view;
  sink_ = &sink;
  LookAt(kept, kNoByte, fresh);
}

bool Scanner::IsClean(const IndexView& view, std::string_view kept, std::string_view fresh) const {
  if (!unfinished_.empty() || view.repeating != nullptr) return false;
  if (pending_ != 0 && MayBeginAcross(view, LastBytes(kept, pending_), fresh)) return false;
  return HasNoPattern(view, ActiveKernels(), fresh);
}

void Scanner::LookAt(std::string_view kept, int byte_before, std::string_view fresh) {
  if (!unfinished_.empty()) {
    DropUnless([&](Unfinished& one) { return GoOn(one, fresh); });
  }
  if (!kept.empty()) LookAcross(kept, byte_before, fresh, false);
  LookIn({.text = fresh, .byte_before = LastByte(kept, byte_before), .line_ends = LineEnds()},
         position_);
  if (view_->repeating != nullptr) RunAutomaton(kept, fresh);
}

void Scanner::LookAtWhole(const IndexView& view, std::string_view text, OccurrenceSink& sink) {
  view_ = &view;
  sink_ = &sink;
  LookIn({.text = text, .ends_stream = true, .line_ends = LineEnds()}, position_);
  if (view.repeating != nullptr) RunAutomaton({}, text);
}

void Scanner::End(const IndexView& view, std::string_view kept, int byte_before,
                  OccurrenceSink& sink) {
  view_ = &view;
  sink_ = &sink;
  if (!kept.empty()) LookAcross(kept, byte_before, {}, true);
}

// Finds what begins in `kept` or just behind it.
void Scanner::LookAcross(std::string_view kept, int byte_before, std::string_view fresh,
                         bool ends) {
  if (view_->probed().empty()) return;
  const std::string_view before = LastBytes(kept, kSeamBefore);
  const std::string_view behind = fresh.substr(0, kSeamBehind);
  if (!ends && !MayBeginAcross(*view_, before, behind)) return;
  seam_.resize(before.size() + behind.size());
  const std::size_t known = unfinished_.size();
  LookIn({.text = Join(before, behind, seam_.data()),
          .begin_before = before.size() + 1,
          .byte_before = LastByte(kept.substr(0, kept.size() - before.size()), byte_before),
          .ends_stream = ends},
         position_ - before.size());
  // The new ones know of what was copied alone.
  const std::string_view rest = fresh.substr(behind.size());
  DropUnless([&](Unfinished& one) { return GoOn(one, rest); }, known);
}

void Scanner::LookIn(const Piece& piece, Offset begin) {
  piece_ = piece.text;
  piece_begin_ = begin;
  FindIn(*view_, ActiveKernels(), piece, *this);
}

std::vector<std::size_t>* Scanner::LineEnds() {
  line_ends_.clear();
  return kinds_ == Kinds::kAll && view_->has_base64 ? &line_ends_ : nullptr;
}

void Scanner::OnOccurrence(const Pattern& pattern, std::size_t begin, std::size_t end) {
  if (Counts(pattern)) sink_->OnOccurrence(pattern, piece_begin_ + begin, piece_begin_ + end);
}

void Scanner::OnUnfinished(const Pattern& pattern, std::size_t begin) {
  if (!Counts(pattern)) return;
  const Offset offset = piece_begin_ + begin;
  if (!known_.emplace(offset, &pattern).second) return;
  unfinished_.push_back(
      {.pattern = &pattern,
       .begin = offset,
       .has_lead = begin > 0 && IsLead(pattern, static_cast<unsigned char>(piece_[begin - 1])),
       .matched = piece_.size() - begin});
}

// Whether all of `fresh` may belong to it.
bool Scanner::GoOn(Unfinished& unfinished, std::string_view fresh) {
  const Pattern& pattern = *unfinished.pattern;
  if (unfinished.matched < pattern.length) {
    const std::size_t count = std::min(pattern.length - unfinished.matched, fresh.size());
    if (!pattern.text().Has(unfinished.matched, fresh.data(), count)) return false;
    unfinished.matched += count;
    if (unfinished.matched < pattern.length) return true;
    fresh.remove_prefix(count);
  }
  const std::size_t seen = unfinished.matched - pattern.length;
  const Trail trail = TrailAfter(pattern, seen, fresh);
  unfinished.matched += trail.bytes;
  sink_->OnOccurrence(pattern, unfinished.begin - (unfinished.has_lead ? 1 : 0),
                      unfinished.begin + unfinished.matched);
  return trail.more;
}

void Scanner::RunAutomaton(std::string_view kept, std::string_view fresh) {
  std::array<Match, 64> matches;
  for (std::size_t done = 0; done < fresh.size();) {
    const Scanned scanned =
        view_->repeating->automaton.Scan(fresh.substr(done), automaton_state_, matches);
    for (std::size_t i = 0; i < scanned.matches; ++i) {
      const RepeatingPatterns& repeating = *view_->repeating;
      for (std::uint32_t spelling = matches[i].pattern; spelling != AhoCorasick::kNoPattern;
           spelling = repeating.shorter_base64[spelling]) {
        for (std::size_t j = repeating.begins[spelling]; j < repeating.begins[spelling + 1]; ++j) {
          OnMatch((*view_->store)[repeating.ids[j]], kept, fresh, done + matches[i].end);
        }
      }
    }
    done += scanned.bytes;
  }
}

// A pattern that repeats itself ends at `end` of `fresh`.
void Scanner::OnMatch(const Pattern& pattern, std::string_view kept, std::string_view fresh,
                      std::size_t end) {
  if (!Counts(pattern)) return;
  const Offset begin = position_ + end - pattern.length;
  if (pattern.kind == PatternKind::kLiteral) {
    sink_->OnOccurrence(pattern, begin, begin + pattern.length);
    return;
  }
  const int before = ByteBehind(kept, fresh.substr(0, end), pattern.length);
  Unfinished match{
      .pattern = &pattern,
      .begin = begin,
      .has_lead = before != kNoByte && IsLead(pattern, static_cast<unsigned char>(before)),
      .matched = pattern.length};
  if (GoOn(match, fresh.substr(end)) && known_.emplace(match.begin, &pattern).second) {
    unfinished_.push_back(match);
  }
}

std::size_t Scanner::PendingBehind(std::string_view kept, std::string_view fresh) const {
  std::size_t pending = 0;
  for (const Unfinished& one : unfinished_) {
    const Offset begin = one.begin - (one.has_lead ? 1 : 0);
    pending = std::max(pending, static_cast<std::size_t>(position_ - begin));
  }
  if (const std::size_t in_automaton = automaton_state_.pending; in_automaton != 0) {
    const int before = ByteBehind(kept, fresh, in_automaton);
    const bool has_lead =
        before != kNoByte && view_->store->IsAnyLead(static_cast<unsigned char>(before));
    pending = std::max(pending, in_automaton + (has_lead ? 1 : 0));
  }
  constexpr std::size_t kEnd = kShortLength + 1;
  if (pending >= kEnd) return pending;  // others have no more
  std::array<char, kEnd> joined;
  std::string_view end = LastBytes(fresh, kEnd);
  if (end.size() < kEnd && !kept.empty()) {
    end = Join(LastBytes(kept, kEnd - end.size()), end, joined.data());
  }
  pending =
      std::max(pending, PendingAt(*view_, ActiveKernels(), end, kinds_ == Kinds::kBase64Alone));
  if (end.data() == joined.data()) core::Wipe(joined.data(), joined.size());
  return pending;
}

}  // namespace qarion::secrets::scrub
