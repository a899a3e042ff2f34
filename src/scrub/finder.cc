#include "scrub/finder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kEight = sizeof(std::uint64_t);

// Places at which patterns may begin whose grams stand in a batch: several may lead to one.
class Begins {
 public:
  void Restart(std::size_t batch_begin) noexcept {
    first_ = batch_begin - std::min(batch_begin, LengthClass::kMostBefore);
    is_clear_ = false;
  }
  // Whether it was not there.
  bool Insert(std::size_t begin) noexcept {
    if (!std::exchange(is_clear_, true)) bits_.fill(0);
    const std::size_t at = begin - first_;
    std::uint64_t& bits = bits_[at / 64];
    const std::uint64_t bit = std::uint64_t{1} << at % 64;
    return (std::exchange(bits, bits | bit) & bit) == 0;
  }

 private:
  std::size_t first_ = 0;
  bool is_clear_ = false;
  std::array<std::uint64_t, (kBatchBytes + LengthClass::kMostBefore) / 64> bits_;
};

class Search {
 public:
  Search(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings)
      : view_(view),
        store_(*view.store),
        kernels_(kernels),
        piece_(piece),
        text_(piece.text),
        findings_(findings) {}

  void Run() {
    RunBits room;
    for (std::size_t begin = 0; begin < text_.size(); begin += kBatchBytes) {
      const bool is_covered = begin != 0 && IsInsideRun(begin - kEight, begin + kBatchBytes);
      RunBits* const run_bits = is_covered ? nullptr : RunBatch(begin, room);
      if (piece_.line_ends != nullptr) TellLineEnds(begin, run_bits);
    }
  }

 private:
  void TellLineEnds(std::size_t begin, RunBits* run_bits) {
    Places<kBatchBytes> room;
    for (const std::size_t line_end : FindLineEnds(kernels_, text_, begin, run_bits, room.data())) {
      piece_.line_ends->push_back(begin + line_end);
    }
  }

  // Returns the bits for the ends of lines, in `room`, if it was told of them.
  RunBits* RunBatch(std::size_t begin, RunBits& room) {
    RunBits* run_bits = nullptr;
    const std::size_t size = text_.size() - begin;
    Places<kBatchBytes> hits;
    for (const IndexView::Probed& probed : view_.probed()) {
      const LengthClass& length_class = *probed.table;
      looked_at_.Restart(begin);
      ProbePlan plan = probed.plan;
      if (piece_.line_ends != nullptr && run_bits == nullptr) run_bits = plan.run_bits = &room;
      const std::size_t found = kernels_.probe(text_.data() + begin, size,
                                               std::min(size, kBatchBytes), plan, hits.data());
      length_class.ForEachAt(kernels_, text_, begin, {hits.data(), found},
                             [&](std::size_t place, const LengthClass::Entry& entry) {
                               CompareAt(length_class, place, entry);
                             });
      if (probed.carried != nullptr) {
        probed.carried->ForEachAt(text_, begin, {hits.data(), found},
                                  [&](PatternId id, std::size_t at) { Compare(store_[id], at); });
      }
    }
    return run_bits;
  }

  // The gram of an entry may stand at `place`.
  void CompareAt(const LengthClass& length_class, std::size_t place,
                 const LengthClass::Entry& entry) {
    if (entry.place > place || IsInsideRun(place, place + 1)) return;
    const std::size_t begin = place - entry.place;
    Compare(store_[entry.pattern], begin);
    if (entry.is_of_crowd) CompareWithCrowd(length_class, begin);
  }

  // What begins deep inside a run of repetitions that is covered adds nothing to it.
  bool IsInsideRun(std::size_t begin, std::size_t end) const {
    constexpr std::size_t kTrail = 3;
    return end + kShortLength + kTrail <= run_end_ && begin >= run_begin_ + kShortLength;
  }

  void CompareWithCrowd(const LengthClass& length_class, std::size_t begin) {
    if (begin >= piece_.begin_before || !looked_at_.Insert(begin)) return;
    length_class.crowd()->ForEachAt(text_.substr(begin),
                                    [&](PatternId id) { Compare(store_[id], begin); });
  }

  void Compare(const Pattern& pattern, std::size_t begin) {
    if (begin >= piece_.begin_before) return;
    const std::size_t size = std::min<std::size_t>(pattern.length, text_.size() - begin);
    if (!pattern.text().Has(0, text_.data() + begin, size)) return;
    if (store_.IsRetired(pattern.owner)) return;
    if (size < pattern.length) {
      // What is shorter is looked for again, together with what stands before it.
      if (size >= kShortLength) findings_.OnUnfinished(pattern, begin);
      return;
    }
    const std::size_t end = begin + size;
    switch (pattern.kind) {
      case PatternKind::kLiteral:
        findings_.OnOccurrence(pattern, begin, EndOfRun(pattern, begin, end));
        break;
      case PatternKind::kBase64: {
        const Trail trail = TrailAfter(pattern, 0, text_.substr(end));
        const bool has_lead = begin > 0 && IsLead(pattern, ByteAt(text_, begin - 1));
        findings_.OnOccurrence(pattern, has_lead ? begin - 1 : begin, end + trail.bytes);
        if (trail.more) findings_.OnUnfinished(pattern, begin);
        break;
      }
      case PatternKind::kWord: {
        const int before = begin > 0 ? ByteAt(text_, begin - 1) : piece_.byte_before;
        if (before != kNoByte && ContinuesWord(static_cast<unsigned char>(before))) break;
        if (end == text_.size() ? !piece_.ends_stream : ContinuesWord(ByteAt(text_, end))) break;
        findings_.OnOccurrence(pattern, begin, end);
        break;
      }
    }
  }

  // A pattern with a period may be the first of a long run of overlapping occurrences.
  std::size_t EndOfRun(const Pattern& pattern, std::size_t begin, std::size_t end) {
    const std::size_t period = pattern.period;
    if (period == 0 || (begin >= run_begin_ && end <= run_end_)) return end;
    std::size_t run = end;
    while (run < text_.size() && text_[run] == text_[run - period]) ++run;
    run = end + (run - end) / period * period;
    if (run - begin > kShortLength) {
      run_begin_ = begin;
      run_end_ = run;
    }
    return run;
  }

  const IndexView& view_;
  const PatternStore& store_;
  const Kernels& kernels_;
  const Piece& piece_;
  const std::string_view text_;
  Findings& findings_;
  Begins looked_at_;  // with the crowd of a class
  std::size_t run_begin_ = 0;
  std::size_t run_end_ = 0;
};

// The patterns that begin with some bytes and go on.
class Continuations {
 public:
  explicit Continuations(const IndexView& view) : view_(view), store_(*view.store) {}

  bool Has(std::string_view beginning, bool base64_alone) const {
    return HasAny(beginning, base64_alone, [](const Pattern&) { return true; });
  }
  // One of base64 to which the byte before belongs.
  bool HasWithLead(std::string_view beginning, unsigned char before) const {
    if (beginning.size() == 1 && !store_.has_retired()) {
      return store_.IsLeadOf(ByteAt(beginning, 0), before);
    }
    return HasAny(beginning, true, [&](const Pattern& pattern) { return IsLead(pattern, before); });
  }

 private:
  template <typename IsOne>
  bool HasAny(std::string_view beginning, bool base64_alone, IsOne is_one) const {
    const auto goes_on = [&](const Pattern& pattern) {
      return !store_.IsRetired(pattern.owner) && Waits(pattern, beginning.size()) &&
             (!base64_alone || pattern.kind == PatternKind::kBase64) && is_one(pattern);
    };
    const SortedPatterns& sorted = *view_.sorted;
    const SortedIds& settled = base64_alone ? sorted.of_base64 : sorted.of_all;
    for (const PatternId id : settled.From(beginning, store_)) {
      if (!store_[id].text().StartsWith(beginning)) break;
      if (goes_on(store_[id])) return true;
    }
    for (std::size_t id = sorted.of_all.all().size(); id < view_.count; ++id) {
      const Pattern& pattern = store_[static_cast<PatternId>(id)];
      if (pattern.text().StartsWith(beginning) && goes_on(pattern)) return true;
    }
    return false;
  }

  const IndexView& view_;
  const PatternStore& store_;
};

// Of the byte of the text with so many behind it: bit i: whether it may be the i-th of a pattern.
std::uint64_t PlacesOf(const PatternStore& store, std::string_view end, std::size_t behind) {
  const std::size_t at = end.size() - 1 - behind;
  return at == 0 ? store.PlacesOf(ByteAt(end, 0), 0) & 1
                 : store.PlacesOf(ByteAt(end, at), ByteAt(end, at - 1));
}

// Of the lengths of beginnings that end with a line break: those that the three bytes before it say
// nothing of.
constexpr std::uint64_t kUpToBreak = (std::uint64_t{1} << PatternStore::kBeforeBreak) - 1;

// Whether the text ends with a line break that ends no longer beginning of a pattern.
bool EndsWithLine(const PatternStore& store, std::string_view text) {
  constexpr std::size_t kBefore = PatternStore::kBeforeBreak;
  return text.size() > kBefore && ByteAt(text, text.size() - 1) == '\n' &&
         !store.MayHaveBreak(LastBytes(text, kBefore + 1));
}

// Bit i: the last i + 1 bytes may begin a pattern, as far as the last four bytes tell.
std::uint64_t LikelyBeginnings(const PatternStore& store, std::string_view end) {
  std::uint64_t lengths = PlacesOf(store, end, 0);
  if (EndsWithLine(store, end)) lengths &= kUpToBreak;
  const std::size_t most = std::min<std::size_t>(std::min(end.size(), kShortLength), 4);
  for (std::size_t i = 1; i < most && lengths != 0; ++i) {
    const std::uint64_t shorter = (std::uint64_t{1} << i) - 1;
    lengths &= PlacesOf(store, end, i) << i | shorter;
  }
  return lengths;
}

// What PendingAt() says. Apart from the way of most texts, which end with their lines.
[[gnu::noinline]] std::size_t PendingAtEnd(const IndexView& view, const Kernels& kernels,
                                           std::string_view end, bool base64_alone) {
  const PatternStore& store = *view.store;
  std::uint64_t lengths = LikelyBeginnings(store, end);
  if (lengths != 0) lengths &= store.heads().EndsOf(LastBytes(end, kShortLength), kernels, lengths);
  const Continuations continuations(view);
  for (; lengths != 0; lengths ^= std::bit_floor(lengths)) {
    const auto length = static_cast<std::size_t>(std::bit_width(lengths));
    const std::string_view beginning = LastBytes(end, length);
    const bool is_exact = length <= 2 && !base64_alone && !store.has_retired();
    if (!is_exact && !continuations.Has(beginning, base64_alone)) continue;
    if (length == end.size()) return length;
    const std::uint8_t before = ByteAt(end, end.size() - 1 - length);
    const bool has_lead = store.IsAnyLead(before) && continuations.HasWithLead(beginning, before);
    return length + (has_lead ? 1 : 0);
  }
  return store.IsAnyLead(ByteAt(end, end.size() - 1)) ? 1 : 0;
}

// Whether any of the hits in the text leads to a pattern. Apart, for few lines have hits, and it
// needs room on the stack.
[[gnu::noinline]] bool LeadsOn(const IndexView::Probed& probed, const Kernels& kernels,
                               std::string_view text, std::span<const std::uint16_t> hits) {
  bool leads_on = false;
  probed.table->ForEachAt(kernels, text, 0, hits,
                          [&](std::size_t, const LengthClass::Entry&) { leads_on = true; });
  return leads_on;
}

// `text`: kBytes at most.
template <std::size_t kBytes>
[[gnu::noinline]] bool HasNoPatternWithin(const IndexView& view, const Kernels& kernels,
                                          std::string_view text) {
  Places<kBytes> room;
  for (const IndexView::Probed& probed : view.probed()) {
    const std::span hits(room.data(), kernels.probe(text.data(), text.size(), text.size(),
                                                    probed.plan, room.data()));
    bool leads_on = !hits.empty() && LeadsOn(probed, kernels, text, hits);
    if (probed.carried != nullptr) {
      probed.carried->ForEachAt(text, 0, hits, [&](PatternId, std::size_t) { leads_on = true; });
    }
    if (leads_on) return false;
  }
  return true;
}

}  // namespace

void FindIn(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings) {
  const bool is_wanted = !view.probed().empty() || piece.line_ends != nullptr;
  if (is_wanted) Search(view, kernels, piece, findings).Run();
}

bool HasNoPattern(const IndexView& view, const Kernels& kernels, std::string_view text) {
  assert(text.size() <= kBatchBytes);
  return text.size() <= kLineBytes ? HasNoPatternWithin<kLineBytes>(view, kernels, text)
                                   : HasNoPatternWithin<kBatchBytes>(view, kernels, text);
}

std::span<const std::uint16_t> FindLineEnds(const Kernels& kernels, std::string_view text,
                                            std::size_t begin, RunBits* run_bits,
                                            std::uint16_t* room) {
  const std::size_t end = std::min(text.size(), begin + kBatchBytes);
  return {room, kernels.find_line_ends(text.data(), begin, end, run_bits, room)};
}

bool MayBeginIn(const IndexView& view, std::string_view text, std::size_t count) {
  constexpr std::size_t kHead = PatternStore::kSeamHead;
  const PatternStore& store = *view.store;
  if (store.has_short() || text.size() < count - 1 + kHead) return true;
  for (std::size_t i = 0; i < count; ++i) {
    if (store.heads().MayHave(text.substr(i, kHead))) return true;
  }
  return false;
}

std::size_t PendingAt(const IndexView& view, const Kernels& kernels, std::string_view text,
                      bool base64_alone) {
  if (text.empty()) return 0;
  const PatternStore& store = *view.store;
  if (EndsWithLine(store, text) && (PlacesOf(store, text, 0) & kUpToBreak) == 0) return 0;
  return PendingAtEnd(view, kernels, LastBytes(text, kShortLength + 1), base64_alone);
}

}  // namespace qarion::secrets::scrub
