#include "scrub/pattern_index.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "scrub/bytes.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::size_t kSmallestText = std::size_t{4} << 10;
constexpr std::size_t kLargestText = std::size_t{256} << 10;

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

// What tells of the bytes of values stays in secret memory, as they do.
template <typename T, typename... Arguments>
std::shared_ptr<T> MakeSecret(Arguments&&... arguments) {
  return std::allocate_shared<T>(core::SecretAllocator<T>(), std::forward<Arguments>(arguments)...);
}

bool IsTooCrowded(const LengthClass& table) {
  constexpr std::size_t kFew = 256;
  return table.crowded() > kFew + table.size() / 16;
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
  for (std::size_t group = 0; group < kGroups; ++group) AddPlace(ByteAt(form.text, 0), group, 0);
  const std::size_t places = std::min(form.text.size(), kShortLength);
  for (std::size_t i = 1; i < places; ++i) {
    AddPlace(ByteAt(form.text, i), GroupOf(ByteAt(form.text, i - 1)), i);
  }
  for (std::size_t size = 1; size <= std::min(form.text.size(), HeadFilter::kLongest); ++size) {
    const bool counts = size == kSeamHead || Waits(patterns_[id], size);
    if (counts) heads_.Add(form.text.substr(0, size));
  }
  if (form.text.size() < kSeamHead) has_short_.store(true, std::memory_order_release);
  if (lead.count != 0) {
    std::uint64_t values = 0;
    for (unsigned value = lead.value; value < 64; value += 1U << lead.count) {
      values |= std::uint64_t{1} << value;
    }
    leads_.fetch_or(values, std::memory_order_relaxed);
    leads_of_[ByteAt(form.text, 0)].fetch_or(values, std::memory_order_relaxed);
  }
  return id;
}

void PatternStore::AddPlace(unsigned char c, std::size_t group, std::size_t place) noexcept {
  std::atomic<std::uint64_t>& places = places_[c][group];
  const std::uint64_t bit = std::uint64_t{1} << place;
  if ((places.load(std::memory_order_relaxed) & bit) == 0) {
    places.fetch_or(bit, std::memory_order_relaxed);
  }
}

OwnerId PatternStore::NewOwner(std::string_view name) {
  const std::lock_guard naming(naming_);
  names_.emplace_back(name);
  try {
    retired_.Grow();
  } catch (...) {
    names_.pop_back();
    throw;
  }
  return static_cast<OwnerId>(retired_.size() - 1);
}

std::string_view PatternStore::NameOf(OwnerId owner) const {
  const std::lock_guard naming(naming_);
  return names_[owner];
}

PatternIndex::PatternIndex()
    : store_(MakeSecret<PatternStore>()), sorted_(std::make_shared<SortedPatterns>()) {}

void PatternIndex::Insert(const FormText& form, OwnerId owner) {
  const PatternId id = store_->Add(form, owner);
  has_base64_ = has_base64_ || form.is_base64;
  const Pattern& pattern = (*store_)[id];
  if (pattern.is_long() && RepeatsItself(form.text)) {
    repeating_ids_.push_back(id);
    repeating_ = nullptr;
    return;
  }
  members_[ClassOf(form.text.size())].push_back(id);
}

// Enters members that are not yet in their tables.
void PatternIndex::EnterMembers(std::size_t index) {
  const std::vector<PatternId>& members = members_[index];
  std::shared_ptr<LengthClass>& table = classes_[index];
  const std::size_t entered = table == nullptr ? 0 : table->size();
  if (entered == members.size()) return;
  if (table != nullptr && members.size() <= table->capacity()) {
    for (std::size_t i = entered; i < members.size() && !IsTooCrowded(*table); ++i) {
      table->Insert(members[i], (*store_)[members[i]].head(), LengthClass::IfCrowded::kEnter);
    }
    if (!IsTooCrowded(*table)) return;
  }
  // Readers keep the old one until they look again.
  constexpr std::size_t kLeastRoom = 24;
  const std::size_t room = std::max(kLeastRoom, entered / 2);
  auto fresh =
      MakeSecret<LengthClass>(kClassShapes[index], std::max(members.size(), entered + room));
  std::vector<PatternId> crowd;
  constexpr std::size_t kAhead = 8;
  std::array<LengthClass::Candidates, kAhead> ahead;
  const auto head = [&](std::size_t i) { return (*store_)[members[i]].head(); };
  for (std::size_t i = 0; i < members.size() + kAhead; ++i) {
    LengthClass::Candidates& candidates = ahead[i % kAhead];
    if (i >= kAhead) {
      const PatternId id = members[i - kAhead];
      const auto if_crowded = LengthClass::IfCrowded::kJoin;
      if (fresh->Insert(id, head(i - kAhead), candidates, if_crowded)) crowd.push_back(id);
    }
    if (i < members.size()) candidates = fresh->Prepare(head(i));
  }
  if (!crowd.empty()) fresh->SetCrowd(std::make_unique<PrefixLookup>(*store_, crowd));
  table = std::move(fresh);
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
  for (const Keyed& one : all) {
    sorted->ids.push_back(one.id);
    if ((*store_)[one.id].kind == PatternKind::kBase64) sorted->base64_ids.push_back(one.id);
  }
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

std::shared_ptr<const IndexView> PatternIndex::View() {
  if (repeating_ == nullptr && !repeating_ids_.empty()) repeating_ = Repeating();
  auto view = MakeSecret<IndexView>(IndexView{.store = store_,
                                              .classes = {},
                                              .few = {},
                                              .sorted = sorted_,
                                              .repeating = repeating_,
                                              .count = store_->size(),
                                              .has_base64 = has_base64_});
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    EnterMembers(i);
    view->classes[i] = classes_[i];
    if (classes_[i] != nullptr) view->few[i] = classes_[i]->few();
  }
  return view;
}

}  // namespace qarion::secrets::scrub
