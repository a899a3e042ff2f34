#include "scrub/finder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kEight = sizeof(std::uint64_t);

unsigned char ByteAt(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text.data()[index]);
}

std::uint64_t LoadWord(const char* bytes, std::size_t count = kEight) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

bool Equal(const char* a, const char* b, std::size_t size) noexcept {
  if (size < kEight) {
    for (std::size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  std::size_t i = 0;
  for (; i + kEight <= size; i += kEight) {
    if (LoadWord(a + i) != LoadWord(b + i)) return false;
  }
  return LoadWord(a + size - kEight) == LoadWord(b + size - kEight);
}

namespace {

bool IsInFilter(const ProbePlan& plan, std::uint64_t gram) noexcept {
  const Place place = PlaceOf(HashOf(BytesOf(gram, plan.gram_size)), plan.shift);
  return (~__atomic_load_n(plan.words + place.word, __ATOMIC_RELAXED) & place.bits) == 0;
}

class Search {
 public:
  Search(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings)
      : view_(view),
        store_(*view.store),
        kernels_(kernels),
        piece_(piece),
        text_(piece.text),
        window_bytes_(view.store->window_bytes().Load()),
        findings_(findings) {}

  void Run() {
    constexpr std::size_t kFew = 6 * kStepBytes;
    if (text_.size() <= kFew) {
      RunFew<6>(0);
      return;
    }
    for (std::size_t begin = 0; begin < text_.size(); begin += kBatchBytes) {
      RunFew<kBatchSteps>(begin);
    }
  }

 private:
  // Looks at `kSteps` steps from `begin` on.
  template <std::size_t kSteps>
  [[gnu::noinline]] void RunFew(std::size_t begin) {
    const char* const bytes = text_.data() + begin;
    const std::size_t size = text_.size() - begin;
    const std::size_t steps = std::min((size + kStepBytes - 1) / kStepBytes, kSteps);
    std::array<std::uint64_t, kSteps> masks;
    kernels_.members(bytes, size, steps, window_bytes_, masks.data());
    std::array<std::uint16_t, kSteps * kStepBytes + 1> hits;
    for (const auto& length_class : view_.classes) {
      if (length_class == nullptr) continue;
      const ProbePlan& plan = length_class->plan();
      const std::size_t found = kernels_.probe(bytes, size, steps, masks.data(), plan, hits.data());
      for (std::size_t i = 0; i < found; ++i) LookBack(*length_class, begin + hits[i]);
      // The last gram may lie before the end of a stride.
      if (size <= steps * kStepBytes && size >= plan.gram_size) {
        const std::size_t place = text_.size() - plan.gram_size;
        if (IsInFilter(plan, LoadWord(text_.data() + place, plan.gram_size))) {
          LookBack(*length_class, place);
        }
      }
    }
  }

  // A gram at `place` may be the last of a stride: looks at each window that it can be of.
  void LookBack(const LengthClass& length_class, std::size_t place) {
    const ClassShape& shape = length_class.shape();
    std::size_t begin = place >= shape.stride - 1 ? place - (shape.stride - 1) : 0;
    for (; begin <= place && begin + shape.window <= text_.size(); ++begin) {
      // What begins deep inside a run of repetitions that is covered adds nothing to it.
      if (begin + kShortLength <= run_end_ && begin >= run_begin_ + kShortLength) continue;
      const std::uint64_t key = length_class.KeyOf(
          LoadWord(text_.data() + begin, std::min(kEight, text_.size() - begin)));
      length_class.ForEachAt(key, [&](PatternId id) { Compare(store_[id], begin); });
    }
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
  const MemberSet window_bytes_;
  Findings& findings_;
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
  static bool Waits(const Pattern& pattern, std::size_t seen) {
    return seen < pattern.length || pattern.kind == PatternKind::kWord;
  }

  const IndexView& view_;
  const PatternStore& store_;
  const bool base64_alone_;
};

}  // namespace

void FindIn(const IndexView& view, const Kernels& kernels, const Piece& piece, Findings& findings) {
  Search(view, kernels, piece, findings).Run();
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
  const Continuations continuations(view, base64_alone);
  while (lengths != 0) {
    const auto length = static_cast<std::size_t>(std::bit_width(lengths));
    const std::string_view beginning = end.substr(end.size() - length);
    const int before = length < end.size() ? ByteAt(end, end.size() - 1 - length) : kNoByte;
    const auto answer = continuations.Of(beginning, before);
    if (answer.waits) return length + (answer.begins_before ? 1 : 0);
    lengths &= ~(std::uint64_t{1} << (length - 1));
  }
  return store.IsAnyLead(ByteAt(end, end.size() - 1)) ? 1 : 0;
}

}  // namespace qarion::secrets::scrub
