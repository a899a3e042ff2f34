#include "scrub/finder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kEight = sizeof(std::uint64_t);

}  // namespace

bool Equal(const char* a, const char* b, std::size_t size) noexcept {
  if (size < kEight) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  // What has the same windows differs at the end rather than at the beginning.
  if (LoadWord(a + size - kEight) != LoadWord(b + size - kEight)) return false;
  for (std::size_t i = 0; i + kEight < size; i += kEight) {
    if (LoadWord(a + i) != LoadWord(b + i)) return false;
  }
  return true;
}

namespace {

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
    for (std::size_t begin = 0; begin < text_.size(); begin += kBatchBytes) {
      if (begin == 0 || !IsInsideRun(begin - kEight, begin + kBatchBytes)) RunBatch(begin);
    }
  }

 private:
  void RunBatch(std::size_t begin) {
    const std::size_t size = text_.size() - begin;
    std::array<std::uint16_t, kBatchBytes> hits;
    for (std::size_t i = 0; i < view_.classes.size(); ++i) {
      const LengthClass* const length_class = view_.classes[i].get();
      if (length_class == nullptr) continue;
      ProbePlan plan = length_class->plan();
      plan.kinds = &(*view_.kinds)[i];
      const std::size_t found = kernels_.probe(text_.data() + begin, size,
                                               std::min(size, kBatchBytes), plan, hits.data());
      for (std::size_t hit = 0; hit < found; ++hit) LookBack(*length_class, begin + hits[hit]);
    }
  }

  // A gram at `place` may be the last of a stride: looks at each window that it can be of.
  void LookBack(const LengthClass& length_class, std::size_t place) {
    const ClassShape& shape = length_class.shape();
    if (text_.size() < shape.window) return;
    const std::size_t begin = place >= shape.stride - 1 ? place - (shape.stride - 1) : 0;
    const std::size_t end = std::min(place, text_.size() - shape.window) + 1;
    if (begin >= end || IsInsideRun(begin, end)) return;
    // A run of repetitions has the same keys again and again.
    const KeyBytes keys = KeysAt(length_class, begin, end);
    KeyBytes& no_window = no_window_[static_cast<std::size_t>(std::countr_zero(shape.stride))];
    if (keys == no_window) return;
    std::array<std::uint64_t, 8> hashes;
    unsigned may_be = 0;
    for (std::size_t i = 0; i < end - begin; ++i) {
      const char* const key = text_.data() + begin + i + length_class.key_at();
      hashes[i] = LengthClass::HashOfKey(LoadWord(key, length_class.key_bytes()));
      may_be |= unsigned{length_class.MayHave(hashes[i])} << i;
    }
    if (may_be == 0) no_window = keys;
    for (; may_be != 0; may_be &= may_be - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(may_be));
      length_class.ForEachAt(hashes[i], [&](PatternId id) { Compare(store_[id], begin + i); });
    }
  }

  // All bytes of the keys of windows that begin from `begin` to `end`.
  struct KeyBytes {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::size_t shape = 0;  // how many, and how long they are
    bool operator==(const KeyBytes&) const = default;
  };
  KeyBytes KeysAt(const LengthClass& length_class, std::size_t begin, std::size_t end) const {
    const char* const keys = text_.data() + begin + length_class.key_at();
    const std::size_t size = length_class.key_bytes();
    return {.first = LoadWord(keys, size),
            .last = LoadWord(keys + (end - 1 - begin), size),
            .shape = (end - begin) << 8 | size};
  }

  // What begins deep inside a run of repetitions that is covered adds nothing to it.
  bool IsInsideRun(std::size_t begin, std::size_t end) const {
    constexpr std::size_t kTrail = 3;
    return end + kShortLength + kTrail <= run_end_ && begin >= run_begin_ + kShortLength;
  }

  void Compare(const Pattern& pattern, std::size_t window) {
    if (window < pattern.window) return;
    const std::size_t begin = window - pattern.window;
    if (begin >= piece_.begin_before) return;
    const std::size_t size = std::min<std::size_t>(pattern.length, text_.size() - begin);
    if (!Equal(text_.data() + begin, pattern.text, size)) return;
    if (store_.IsRetired(pattern.owner)) return;
    if (size < pattern.length) {
      if (pattern.is_long()) findings_.OnUnfinished(pattern, begin);
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
  std::array<KeyBytes, 4> no_window_{};  // by the stride's logarithm
  std::size_t run_begin_ = 0;
  std::size_t run_end_ = 0;
};

// The patterns that begin with `beginning`.
class Continuations {
 public:
  Continuations(const IndexView& view, bool base64_alone)
      : view_(view), store_(*view.store), base64_alone_(base64_alone) {}

  struct Answer {
    bool waits = false;          // some pattern goes on
    bool begins_before = false;  // and the byte before belongs to it
  };
  Answer Of(std::string_view beginning, int byte_before) const {
    Answer answer;
    const auto take = [&](const Pattern& pattern) {
      if (base64_alone_ && pattern.kind != PatternKind::kBase64) return;
      if (store_.IsRetired(pattern.owner) || !Waits(pattern, beginning.size())) return;
      answer.waits = true;
      if (byte_before != kNoByte && IsLead(pattern, static_cast<unsigned char>(byte_before))) {
        answer.begins_before = true;
      }
    };
    const auto& ids = view_.sorted->ids;
    auto at = std::lower_bound(ids.begin(), ids.end(), beginning,
                               [this](PatternId id, std::string_view text) {
                                 return store_[id].view().substr(0, text.size()) < text;
                               });
    const bool may_begin_before =
        byte_before != kNoByte && store_.IsAnyLead(static_cast<unsigned char>(byte_before));
    const auto is_settled = [&] {
      return answer.waits && (answer.begins_before || !may_begin_before);
    };
    for (; at != ids.end() && !is_settled() && store_[*at].view().starts_with(beginning); ++at) {
      take(store_[*at]);
    }
    for (std::size_t id = ids.size(); id < view_.count && !is_settled(); ++id) {
      const Pattern& pattern = store_[static_cast<PatternId>(id)];
      if (pattern.view().starts_with(beginning)) take(pattern);
    }
    return answer;
  }

 private:
  const IndexView& view_;
  const PatternStore& store_;
  const bool base64_alone_;
};

}  // namespace

void FindIn(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings) {
  Search(view, kernels, piece, findings).Run();
}

bool MayBeginIn(const IndexView& view, std::string_view text, std::size_t count) {
  const PatternStore& store = *view.store;
  if (store.has_short() || text.size() < count - 1 + HeadFilter::kLongest) return true;
  for (std::size_t i = 0; i < count; ++i) {
    if (store.heads().MayHave(text.substr(i, HeadFilter::kLongest))) return true;
  }
  return false;
}

std::size_t PendingAt(const IndexView& view, std::string_view end, bool base64_alone) {
  const PatternStore& store = *view.store;
  if (end.empty()) return 0;
  // Bit i: the last i + 1 bytes may begin a pattern, by what bytes stand where in any.
  std::uint64_t lengths = ~std::uint64_t{0};
  if (end.size() < kShortLength) lengths = (std::uint64_t{1} << end.size()) - 1;
  for (std::size_t i = 0; i < std::min(end.size(), kShortLength) && lengths >> i != 0; ++i) {
    const std::uint64_t keep = (std::uint64_t{1} << i) - 1;
    lengths &= store.PlacesOf(ByteAt(end, end.size() - 1 - i)) << i | keep;
  }
  // Without a branch for each, which nobody could foresee.
  for (std::uint64_t rest = lengths; rest != 0; rest &= rest - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(rest));
    lengths ^= std::uint64_t{!store.heads().MayHave(end.substr(end.size() - 1 - i))} << i;
  }
  const Continuations continuations(view, base64_alone);
  while (lengths != 0) {
    const auto length = static_cast<std::size_t>(std::bit_width(lengths));
    const int before = length < end.size() ? ByteAt(end, end.size() - 1 - length) : kNoByte;
    const bool is_exact =
        length <= 2 && !base64_alone && !store.has_retired() &&
        (before == kNoByte || !store.IsAnyLead(static_cast<unsigned char>(before)));
    if (is_exact) return length;
    const auto answer = continuations.Of(end.substr(end.size() - length), before);
    if (answer.waits) return length + (answer.begins_before ? 1 : 0);
    lengths &= ~(std::uint64_t{1} << (length - 1));
  }
  return store.IsAnyLead(ByteAt(end, end.size() - 1)) ? 1 : 0;
}

}  // namespace qarion::secrets::scrub
