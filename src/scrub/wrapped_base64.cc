#include "scrub/wrapped_base64.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kNarrow = 64;
constexpr std::size_t kWide = 76;
constexpr std::size_t kMostBlanks = 64;  // before a line of a block
constexpr std::size_t kMostGathered = 4096;

constexpr std::array<bool, 256> kIsBase64 = [] {
  std::array<bool, 256> is_base64{};
  for (unsigned c = 0; c < 256; ++c) {
    is_base64[c] = Base64Value(static_cast<unsigned char>(c)) >= 0;
  }
  return is_base64;
}();

bool IsBase64(char c) { return kIsBase64[static_cast<unsigned char>(c)]; }
bool IsInBlock(char c) { return IsBase64(c) || c == '='; }

// Number of characters of base64 at the end of `text`, counted up to one more than a wide line has.
std::size_t RunBefore(std::string_view text) {
  static_assert(kWide < kMostBase64);
  const std::string_view end = LastBytes(text, kWide + 1);
  return ActiveKernels().count_base64(end.data(), end.size());
}

std::string_view WithoutReturn(std::string_view line) {
  return line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0));
}

bool IsWidth(std::size_t run) { return run == kNarrow || run == kWide; }

// Whether what ends the first line of a block may go on in the next one. `first`: of that line, at
// least what may begin an occurrence. `behind`: what is behind the line break so far.
bool MayGoOn(const IndexView& view, std::string_view first, std::string_view behind,
             std::size_t width) {
  const std::string_view next =
      behind.substr(std::min(behind.find_first_not_of(" \t"), behind.size()));
  std::size_t count = 0;
  while (count < std::min(next.size(), width) && IsInBlock(next[count])) ++count;
  if (count == 0 && !next.empty()) return false;
  // It can be told where all of the block is there, and no automaton is to see it.
  const bool is_all = count < width && count < next.size();
  if (!is_all || view.repeating != nullptr) return true;
  std::array<char, 2 * kWide> joined;
  core::CopySecretBytes(joined.data(), first.data(), first.size());
  core::CopySecretBytes(joined.data() + first.size(), next.data(), count);
  const std::string_view both(joined.data(), first.size() + count);
  const bool may_go_on = !HasNoPattern(view, ActiveKernels(), both);
  core::Wipe(joined.data(), both.size());
  return may_go_on;
}

}  // namespace

void WrappedBase64::Restart(std::size_t run) noexcept {
  Leave();
  run_ = run;
}

void WrappedBase64::Look(const IndexView& view, std::string_view kept, std::string_view fresh,
                         std::span<const std::size_t> line_ends, Offset begin,
                         OccurrenceSink& sink) {
  if (!view.has_base64) {
    Skip(fresh);
    return;
  }
  sink_ = &sink;
  std::size_t at = 0;
  while (at < fresh.size()) {
    const char next = fresh[at];
    switch (state_) {
      case State::kOutside: at = LeaveOutside(view, kept, fresh, at, line_ends, begin); break;
      case State::kBeforeLine:
        if ((next == ' ' || next == '\t') && blanks_ < kMostBlanks) {
          ++at;
          ++blanks_;
        } else if (IsBase64(next)) {
          lines_.push_back({.joined = GatheredEnd(), .text = begin + at});
          column_ = after_pad_ = 0;
          state_ = State::kInLine;
        } else {
          LeaveBlock(view);
        }
        break;
      case State::kInLine: {
        const std::size_t most = std::min(fresh.size(), at + (width_ - column_));
        std::size_t end = at;
        while (end < most && IsInBlock(fresh[end])) ++end;
        gathered_.Append(fresh.substr(at, end - at));
        column_ += end - at;
        const std::size_t padding = fresh.substr(at, end - at).rfind('=');
        after_pad_ = padding == fresh.npos ? after_pad_ + (end - at) : end - at - padding - 1;
        at = end;
        if (at == fresh.size()) break;
        if ((fresh[at] != '\n' && fresh[at] != '\r') || !EndLine()) {
          LeaveBlock(view);
          break;
        }
        state_ = fresh[at] == '\n' ? State::kBeforeLine : State::kAfterCarriageReturn;
        blanks_ = 0;
        ++at;
        if (gathered_.size() >= kMostGathered) LookAtGathered(view);
        break;
      }
      case State::kAfterCarriageReturn:
        if (next == '\n') {
          state_ = State::kBeforeLine;
          ++at;
        } else {
          LeaveBlock(view);
        }
        break;
    }
  }
  if (state_ != State::kOutside) LookAtGathered(view);
  run_ = RunAtEnd(fresh);
}

void WrappedBase64::Leave() noexcept {
  state_ = State::kOutside;
  gathered_.Clear();
  joined_kept_.Clear();
}

// Leaves the block, if there is one.
void WrappedBase64::Skip(std::string_view fresh) noexcept {
  if (state_ != State::kOutside) Leave();
  const bool is_run = fresh.empty() || IsBase64(fresh.back());  // most texts end otherwise
  run_ = is_run ? RunAtEnd(fresh) : 0;
}

bool WrappedBase64::MayBeClean(const IndexView& view, std::string_view fresh) const {
  if (!view.has_base64) return true;
  if (fresh.ends_with('\r')) return false;
  if (state_ == State::kOutside) return true;
  const bool is_behind_first = state_ == State::kBeforeLine && lines_.size() == 1;
  return is_behind_first && !MayGoOn(view, joined_kept_.Reveal(), fresh, width_);
}

bool WrappedBase64::LookIfClean(const IndexView& view, std::string_view fresh, Offset begin) {
  if (!view.has_base64) {
    Skip(fresh);
    return true;
  }
  return fresh.size() <= kLineBytes ? LookIfCleanWithin<kLineBytes>(view, fresh, begin)
                                    : LookIfCleanWithin<kBatchBytes>(view, fresh, begin);
}

template <std::size_t kBytes>
bool WrappedBase64::LookIfCleanWithin(const IndexView& view, std::string_view fresh, Offset begin) {
  std::string_view first_line;
  Places<kBytes> room;
  for (const std::size_t line_end : FindLineEnds(ActiveKernels(), fresh, 0, nullptr, room.data())) {
    const std::string_view line = WithoutReturn(fresh.substr(0, line_end));
    const std::size_t run = RunAtEnd(line);
    if (!IsWidth(run)) continue;
    if (line_end + 1 != fresh.size() || run > line.size()) return false;
    first_line = LastBytes(line, run);
  }
  Skip(fresh);
  if (first_line.empty()) return true;
  width_ = first_line.size();
  BeginBlock(begin + static_cast<std::size_t>(first_line.data() - fresh.data()));
  joined_.Skip(view, first_line);
  joined_kept_.Append(LastBytes(first_line, joined_.pending()));
  state_ = State::kBeforeLine;
  return true;
}

std::size_t WrappedBase64::RunAfter(std::size_t before, std::string_view text) noexcept {
  const std::size_t run = RunBefore(text);
  return run == text.size() ? std::min(run + before, kWide + 1) : run;
}

// Looks for the end of a line that may be the first of a block. Returns where to go on.
std::size_t WrappedBase64::LeaveOutside(const IndexView& view, std::string_view kept,
                                        std::string_view fresh, std::size_t from,
                                        std::span<const std::size_t> line_ends, Offset begin) {
  static_assert(kNarrow >= kRunBytes);
  auto next_end = std::ranges::lower_bound(line_ends, from);
  std::size_t line_end = from;
  std::string_view line;
  std::size_t run = 0;
  State next = State::kBeforeLine;
  while (!IsWidth(run)) {
    if (next == State::kAfterCarriageReturn) return fresh.size();
    if (next_end != line_ends.end()) {
      line_end = *next_end++;
    } else {
      if (!fresh.ends_with('\r')) return fresh.size();
      line_end = fresh.size() - 1;  // as far as can be told
      next = State::kAfterCarriageReturn;
    }
    line = WithoutReturn(fresh.substr(0, line_end));
    run = RunAtEnd(line);
    width_ = run;
    if (run <= line.size() && IsWidth(run) &&
        !MayGoOn(view, LastBytes(line, run), fresh.substr(line_end + 1), run))
      run = 0;
  }
  // What of the line is gone already cannot begin an occurrence.
  const std::size_t here = std::min(run, line.size());
  const std::size_t earlier = std::min(run - here, kept.size());
  BeginBlock(begin + line.size() - here - earlier);
  gathered_.Append(kept.substr(kept.size() - earlier));
  gathered_.Append(line.substr(line.size() - here));
  state_ = next;
  return line_end + 1;
}

// A line of the block ends. Returns whether it was as wide as the others. Where another text began
// behind padding in the line before, it goes on with lines of its own width, as part of the block.
bool WrappedBase64::EndLine() noexcept {
  if (column_ != width_) {
    if (other_width_ == 0 || column_ != other_width_) return false;
    width_ = other_width_;
  }
  const bool may_begin_other = after_pad_ != width_ && IsWidth(after_pad_);
  other_width_ = may_begin_other ? after_pad_ : 0;
  return true;
}

// `first`: where its first character stands.
void WrappedBase64::BeginBlock(Offset first) {
  blanks_ = 0;
  other_width_ = 0;
  lines_.assign({Line{.joined = 0, .text = first}});
  joined_.Restart(0);
  joined_kept_.Clear();
  gathered_.Clear();
}

// Characters that do not belong to a block cannot go on with what is in it. What is in its only
// line is found without it.
void WrappedBase64::LeaveBlock(const IndexView& view) {
  if (lines_.size() > 1) {
    joined_.LookAtLast(view, joined_kept_.Reveal(), gathered_.Reveal(), *this);
  }
  Leave();
}

void WrappedBase64::LookAtGathered(const IndexView& view) {
  if (gathered_.empty()) return;
  joined_.Look(view, joined_kept_.Reveal(), kNoByte, gathered_.Reveal(), *this);
  joined_kept_.Append(gathered_.Reveal());
  gathered_.Clear();
  if (joined_kept_.size() > 2 * joined_.pending()) {
    joined_kept_.RemovePrefix(joined_kept_.size() - joined_.pending());
  }
  // The places of what can still be told of.
  const Offset first = joined_.position() - joined_kept_.size();
  const auto is_needed = [&](const Line& next) { return next.joined > first; };
  const auto needed = std::find_if(lines_.begin() + 1, lines_.end(), is_needed);
  lines_.erase(lines_.begin(), needed - 1);
}

void WrappedBase64::OnOccurrence(const Pattern& pattern, Offset begin, Offset end) {
  sink_->OnOccurrence(pattern, InText(begin), InText(end - 1) + 1);
}

Offset WrappedBase64::InText(Offset joined) const noexcept {
  auto line = std::ranges::upper_bound(lines_, joined, {}, &Line::joined);
  if (line != lines_.begin()) --line;
  return line->text + (joined - line->joined);
}

std::size_t WrappedBase64::PendingInBlock(Offset position) const noexcept {
  return static_cast<std::size_t>(position - InText(joined_.position() - joined_.pending()));
}

}  // namespace qarion::secrets::scrub
