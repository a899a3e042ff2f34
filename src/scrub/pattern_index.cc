#include "scrub/pattern_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "scrub/bytes.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kSmallestText = std::size_t{4} << 10;
constexpr std::size_t kLargestText = std::size_t{256} << 10;

// What makes a window worse: grams without a mark, bytes that stand between the words of logs, and
// repetition.
constexpr std::size_t kCostOfDullGram = 16;
constexpr std::size_t kCostOfSeparator = 4;
constexpr std::size_t kCostOfRepeating = 128;
constexpr bool IsSeparator(char c) {
  return NaturalKind(c) == ByteKind::kDullOther && static_cast<unsigned char>(c) < 128;
}
constexpr std::size_t kShortestClassWithMarks = 3;  // of kClassShapes
constexpr std::size_t kMostAlike = 8;

// The least distance at which `text` repeats itself throughout, up to 8; otherwise 0.
std::uint8_t PeriodOf(std::string_view text) {
  constexpr std::size_t kLongestPeriod = 8;
  for (std::size_t period = 1; period <= kLongestPeriod && 2 * period <= text.size(); ++period) {
    if (text.substr(period) == text.substr(0, text.size() - period)) {
      return static_cast<std::uint8_t>(period);
    }
  }
  return 0;
}

// Whether the first bytes of a long pattern occur in it again, so that many of its beginnings may
// overlap.
bool RepeatsItself(std::string_view text) {
  constexpr std::size_t kHead = 16;
  return text.find(text.substr(0, kHead), 1) != std::string_view::npos;
}

PatternKind KindOf(const FormText& form) {
  if (form.only_as_word) return PatternKind::kWord;
  return form.is_base64 ? PatternKind::kBase64 : PatternKind::kLiteral;
}

}  // namespace

const char* PatternStore::Keep(std::string_view text) {
  if (text.size() > text_left_) {
    const std::size_t last = texts_.empty() ? 0 : texts_.back().size();
    const std::size_t size =
        std::max(text.size(), std::clamp(2 * last, kSmallestText, kLargestText));
    texts_.emplace_back(size);
    text_left_ = size;
  }
  core::SecretVector<char>& block = texts_.back();
  char* const kept = block.data() + (block.size() - text_left_);
  core::CopySecretBytes(kept, text.data(), text.size());
  text_left_ -= text.size();
  return kept;
}

PatternId PatternStore::Add(const FormText& form, OwnerId owner) {
  const auto id = static_cast<PatternId>(patterns_.size());
  const EdgeBits lead{.count = form.edges.lead_bits, .value = form.edges.lead_value};
  patterns_.Grow() = {.text = Keep(form.text),
                      .length = static_cast<std::uint32_t>(form.text.size()),
                      .owner = owner,
                      .kind = KindOf(form),
                      .lead = lead,
                      .trail = {.count = form.edges.trail_bits, .value = form.edges.trail_value},
                      .period = PeriodOf(form.text)};
  const std::size_t places = std::min(form.text.size(), kShortLength);
  for (std::size_t i = 0; i < places; ++i) {
    std::atomic<std::uint64_t>& of_byte = places_[ByteAt(form.text, i)];
    const std::uint64_t bit = std::uint64_t{1} << i;
    if ((of_byte.load(std::memory_order_relaxed) & bit) == 0) {
      of_byte.fetch_or(bit, std::memory_order_relaxed);
    }
  }
  for (std::size_t size = 1; size <= std::min(form.text.size(), HeadFilter::kLongest); ++size) {
    const bool counts = size == HeadFilter::kLongest || Waits(patterns_[id], size);
    if (counts) heads_.Add(form.text.substr(0, size));
  }
  if (form.text.size() < HeadFilter::kLongest) has_short_.store(true, std::memory_order_release);
  if (lead.count != 0) {
    std::uint64_t values = 0;
    for (unsigned value = lead.value; value < 64; value += 1U << lead.count) {
      values |= std::uint64_t{1} << value;
    }
    leads_.fetch_or(values, std::memory_order_relaxed);
  }
  return id;
}

OwnerId PatternStore::NewOwner(std::string_view name) {
  const std::lock_guard naming(naming_);
  names_.emplace_back(name);
  retired_.Grow();
  return static_cast<OwnerId>(retired_.size() - 1);
}

std::string_view PatternStore::NameOf(OwnerId owner) const {
  const std::lock_guard naming(naming_);
  return names_[owner];
}

bool PatternStore::IsAnyLead(unsigned char c) const noexcept {
  const int value = Base64Value(c);
  return value >= 0 && (leads_.load(std::memory_order_relaxed) >> value & 1) != 0;
}

PatternIndex::PatternIndex()
    : store_(std::make_shared<PatternStore>()), sorted_(std::make_shared<SortedPatterns>()) {}

// Of the window that begins at each place.
struct PatternIndex::WindowCosts {
  WindowCosts(std::string_view text, const ClassShape& shape)
      : last(std::min(text.size(), kShortLength) - shape.window) {
    const std::size_t size = shape.window;
    std::array<std::uint16_t, kShortLength + 1> sums{};  // of the bytes and grams that end before
    std::size_t since_mark = 0;                          // bytes without one
    std::size_t since_change = 0;                        // bytes that are those two places before
    for (std::size_t i = 0; i < last + size; ++i) {
      const char c = text[i];
      since_mark = IsMark(c) ? 0 : since_mark + 1;
      since_change = i < 2 || c != text[i - 2] ? 0 : since_change + 1;
      std::size_t cost = IsSeparator(c) ? kCostOfSeparator : 0;
      if (since_mark >= shape.gram_size) cost += kCostOfDullGram;
      sums[i + 1] = static_cast<std::uint16_t>(sums[i] + cost);
      if (i + 1 < size) continue;
      // The grams that end in the first bytes of a window begin before it.
      const std::size_t begin = i + 1 - size;
      of[begin] = static_cast<std::uint16_t>(sums[i + 1] - sums[begin + shape.gram_size - 1]);
      if (size > 2 && since_change >= size - 2)
        of[begin] = static_cast<std::uint16_t>(of[begin] + kCostOfRepeating);
    }
  }
  // Of equal ones the last: what has only the beginning of the pattern does not have it.
  std::size_t Least() const {
    std::size_t best = last;
    for (std::size_t begin = last; begin-- > 0;) {
      if (of[begin] < of[best]) best = begin;
    }
    return best;
  }

  std::size_t last;
  std::array<std::uint16_t, kShortLength> of{};
};

struct PatternIndex::ChosenClass {
  std::size_t index;
  WindowCosts costs;
};

void PatternIndex::Insert(const FormText& form, OwnerId owner) {
  const PatternId id = store_->Add(form, owner);
  has_base64_ = has_base64_ || form.is_base64;
  Pattern& pattern = store_->at(id);
  if (pattern.is_long() && RepeatsItself(form.text)) {
    repeating_ids_.push_back(id);
    repeating_ = nullptr;
    return;
  }
  const ChosenClass chosen = ChooseClass(form.text);
  LengthClass& length_class = ClassWithRoom(chosen.index);
  const std::size_t window = ChooseWindow(form.text, chosen.costs, length_class);
  pattern.window = static_cast<std::uint8_t>(window);
  members_[chosen.index].push_back(id);
  length_class.AddKinds(pattern.text + window);
  length_class.Insert(id, pattern.text + window);
}

// The one with the longest windows where a window costs little: where it has marks, or where few
// bytes are in grams without one. Many such bytes make most of a log look like windows, so that
// happens to one class only.
PatternIndex::ChosenClass PatternIndex::ChooseClass(std::string_view text) const {
  constexpr std::size_t kFewDull = 16;
  for (std::size_t index = ClassOf(text.size());; --index) {
    const ClassShape& shape = kClassShapes[index];
    const WindowCosts costs(text, shape);
    const std::size_t best = costs.Least();
    const bool is_last = index <= kShortestClassWithMarks || classes_[index] == nullptr;
    if (is_last || costs.of[best] < kCostOfDullGram) return {index, costs};
    const ByteKinds& kinds = classes_[index]->kinds();
    std::size_t added = 0;
    for (std::size_t i = 0; i < shape.stride; ++i) {
      added += kinds.NewDullBytes(text.substr(best + i, shape.gram_size));
    }
    if (added == 0 || kinds.dull_bytes() + added <= kFewDull) return {index, costs};
  }
}

LengthClass& PatternIndex::ClassWithRoom(std::size_t index) {
  std::shared_ptr<LengthClass>& length_class = classes_[index];
  if (length_class != nullptr && length_class->size() < length_class->capacity()) {
    return *length_class;
  }
  // Readers keep the old one until they look again.
  constexpr std::size_t kFirstCapacity = 24;
  auto larger = length_class == nullptr
                    ? std::make_shared<LengthClass>(kClassShapes[index], kFirstCapacity)
                    : std::make_shared<LengthClass>(*length_class, 2 * length_class->capacity());
  for (const PatternId member : members_[index]) {
    const Pattern& moved = (*store_)[member];
    larger->Insert(member, moved.text + moved.window);
  }
  length_class = std::move(larger);
  return *length_class;
}

// The window that should turn up least often in logs, and in other patterns.
std::size_t PatternIndex::ChooseWindow(std::string_view text, WindowCosts costs,
                                       const LengthClass& length_class) {
  const std::size_t size = length_class.shape().window;
  // Of those that many patterns have, the next best may be free.
  constexpr int kTries = 4;
  constexpr std::uint16_t kTried = UINT16_MAX;
  const std::size_t first_choice = costs.Least();
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::size_t best = costs.Least();
    if (costs.of[best] == kTried) break;
    if (length_class.CountAlike(text.data() + best, kMostAlike) < kMostAlike) return best;
    const std::size_t from = best >= size / 2 ? best - size / 2 : 0;
    for (std::size_t i = from; i <= std::min(costs.last, best + size / 2); ++i) {
      costs.of[i] = kTried;
    }
  }
  return first_choice;
}

void PatternIndex::Retire(OwnerId owner) {
  store_->Retire(owner);
  const auto is_retired = [&](PatternId id) { return (*store_)[id].owner == owner; };
  if (std::erase_if(repeating_ids_, is_retired) != 0) repeating_ = nullptr;
}

bool PatternIndex::Settle() {
  constexpr std::size_t kUnsorted = 256;
  constexpr std::size_t kShareUnsorted = 32;
  const std::size_t settled = sorted_->ids.size();
  const std::size_t recent = store_->size() - settled;
  if (recent <= kUnsorted + settled / kShareUnsorted) return false;
  struct Keyed {
    std::uint64_t key;
    PatternId id;
  };
  // Most are told apart by their first bytes.
  const auto keyed = [this](PatternId id) {
    const Pattern& pattern = (*store_)[id];
    std::uint64_t key = 0;
    std::memcpy(&key, pattern.text, std::min<std::size_t>(pattern.length, sizeof(key)));
    if constexpr (std::endian::native == std::endian::little) key = __builtin_bswap64(key);
    return Keyed{.key = key, .id = id};
  };
  const auto before = [this](const Keyed& a, const Keyed& b) {
    if (a.key != b.key) return a.key < b.key;
    return (*store_)[a.id].view() < (*store_)[b.id].view();
  };
  core::SecretVector<Keyed> old;
  old.reserve(settled);
  for (const PatternId id : sorted_->ids) old.push_back(keyed(id));
  core::SecretVector<Keyed> added;
  added.reserve(recent);
  for (std::size_t id = settled; id < store_->size(); ++id) {
    added.push_back(keyed(static_cast<PatternId>(id)));
  }
  std::sort(added.begin(), added.end(), before);
  core::SecretVector<Keyed> all(store_->size());
  std::merge(old.begin(), old.end(), added.begin(), added.end(), all.begin(), before);
  auto sorted = std::make_shared<SortedPatterns>();
  sorted->ids.reserve(all.size());
  for (const Keyed& one : all) sorted->ids.push_back(one.id);
  sorted_ = std::move(sorted);
  return true;
}

std::shared_ptr<const RepeatingPatterns> PatternIndex::Repeating() const {
  const auto text = [this](PatternId id) { return (*store_)[id].view(); };
  std::vector<PatternId> ids = repeating_ids_;
  std::ranges::sort(ids, {}, text);
  std::vector<std::size_t> begins;
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i != 0 && text(ids[i]) == texts.back()) continue;
    begins.push_back(i);
    texts.push_back(text(ids[i]));
  }
  begins.push_back(ids.size());
  AhoCorasick automaton(texts);
  std::vector<std::uint32_t> by_length(texts.size());
  std::iota(by_length.begin(), by_length.end(), 0U);
  std::ranges::sort(by_length, {}, [&](std::uint32_t spelling) { return texts[spelling].size(); });
  const auto is_base64 = [&](std::uint32_t spelling) {
    return std::any_of(ids.begin() + static_cast<std::ptrdiff_t>(begins[spelling]),
                       ids.begin() + static_cast<std::ptrdiff_t>(begins[spelling + 1]),
                       [&](PatternId id) { return (*store_)[id].kind == PatternKind::kBase64; });
  };
  std::vector<std::uint32_t> shorter_base64(texts.size(), AhoCorasick::kNoPattern);
  for (const std::uint32_t spelling : by_length) {
    const std::uint32_t shorter = automaton.ShorterAtEndOf(spelling);
    if (shorter == AhoCorasick::kNoPattern) continue;
    shorter_base64[spelling] = is_base64(shorter) ? shorter : shorter_base64[shorter];
  }
  return std::make_shared<RepeatingPatterns>(
      RepeatingPatterns{.ids = std::move(ids),
                        .begins = std::move(begins),
                        .shorter_base64 = std::move(shorter_base64),
                        .automaton = std::move(automaton)});
}

std::shared_ptr<const PatternIndex::AllKinds> PatternIndex::Kinds() const {
  auto kinds = std::allocate_shared<AllKinds>(core::SecretAllocator<AllKinds>());
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i] != nullptr) (*kinds)[i] = classes_[i]->kinds();
  }
  return kinds;
}

IndexView PatternIndex::View() {
  if (repeating_ == nullptr && !repeating_ids_.empty()) repeating_ = Repeating();
  IndexView view{.store = store_,
                 .classes = {},
                 .kinds = Kinds(),
                 .sorted = sorted_,
                 .repeating = repeating_,
                 .count = store_->size(),
                 .has_base64 = has_base64_};
  std::copy(classes_.begin(), classes_.end(), view.classes.begin());
  return view;
}

}  // namespace qarion::secrets::scrub
