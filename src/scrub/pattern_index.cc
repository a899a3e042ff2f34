#include "scrub/pattern_index.h"

#include <algorithm>
#include <cassert>
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
    if (text[0] == text[period] && text.substr(period) == text.substr(0, text.size() - period)) {
      return static_cast<std::uint8_t>(period);
    }
  }
  return 0;
}

// Whether so few bytes are in the text that few pieces of them can be told apart, as those of a
// word of a's and b's: then looking for its pieces finds all of them everywhere. Not of a single
// byte.
bool HasFewBytes(std::string_view text) {
  constexpr std::size_t kFew = 3;
  constexpr std::size_t kShortest = 7;  // a shorter one is hardly longer than its pieces
  if (text.size() < kShortest) return false;
  std::array<char, kFew> known{};
  std::size_t count = 0;
  for (const char c : text) {
    const auto end = known.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(known.begin(), end, c) != end) continue;
    if (count == kFew) return false;
    known[count++] = c;
  }
  return count > 1;
}

// Of long patterns those whose first bytes occur in them again, so that many of their beginnings
// may overlap.
bool RepeatsItself(std::string_view text) {
  constexpr std::size_t kHead = 16;
  if (text.size() <= kShortLength) return false;
  const std::uint64_t first = LoadWord(text.data());
  for (std::size_t i = 1; i + kHead <= text.size(); ++i) {
    const char* const at = text.data() + i;
    if (LoadWord(at) == first && Equal(at, text.data(), kHead)) return true;
  }
  return false;
}

// What tells of the bytes of values stays in secret memory, as they do.
template <typename T, typename... Arguments>
std::shared_ptr<T> MakeSecret(Arguments&&... arguments) {
  return std::allocate_shared<T>(core::SecretAllocator<T>(), std::forward<Arguments>(arguments)...);
}

std::size_t FewCrowded(const LengthClass& table) { return 64 + table.size() / 64; }

// Whether it has to be made anew before more is found in it.
bool IsTooCrowded(const LengthClass& table) { return table.crowded() > 2 * FewCrowded(table); }

// Whether it will have to be before long.
bool IsNearlyFull(const LengthClass& table) {
  return table.size() > (table.capacity() + table.most()) / 2 ||
         table.crowded() > FewCrowded(table);
}

// A pattern and its first bytes, which tell most patterns apart.
struct Keyed {
  std::uint64_t key;
  PatternId id;
};

// Byte by byte, from the lowest on.
void SortByKey(core::SecretVector<Keyed>& all) {
  core::SecretVector<Keyed> sorted(all.size());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    const auto digit = [&](const Keyed& one) { return one.key >> shift & 0xFF; };
    std::array<std::size_t, 257> begins{};
    for (const Keyed& one : all) ++begins[digit(one) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const Keyed& one : all) sorted[begins[digit(one)]++] = one;
    std::swap(all, sorted);
  }
}

EdgeBits EdgeBitsOf(unsigned count, unsigned value) {
  return {.count = static_cast<std::uint8_t>(count & 15),
          .value = static_cast<std::uint8_t>(value & 15)};
}

PatternKind KindOf(const FormText& form) {
  if (form.only_as_word) return PatternKind::kWord;
  return form.is_base64 ? PatternKind::kBase64 : PatternKind::kLiteral;
}

}  // namespace

const char* PatternStore::Keep(std::string_view text) {
  if (text.size() > text_left_) {
    const std::size_t size =
        std::max(text.size(), std::clamp(text_bytes_ / 8, kSmallestText, kLargestText));
    texts_.emplace_back(size);
    text_bytes_ += size;
    text_left_ = size;
  }
  core::SecretVector<char>& block = texts_.back();
  char* const kept = block.data() + (block.size() - text_left_);
  core::CopySecretBytes(kept, text.data(), text.size());
  text_left_ -= text.size();
  return kept;
}

const char* PatternStore::KeepSource(const FormText& form) {
  if (form.plaintext >= plaintexts_.size()) plaintexts_.resize(form.plaintext + std::size_t{1});
  const char*& kept = plaintexts_[form.plaintext];
  if (kept == nullptr) kept = Keep(form.source);
  return kept;
}

PatternId PatternStore::Add(const FormText& form, OwnerId owner, bool repeats_itself) {
  const auto id = static_cast<PatternId>(patterns_.size());
  // The automaton needs the text itself.
  const bool is_kept = form.spelling == Spelling::kAsIs || repeats_itself;
  if (form.text.size() > Pattern::kMostLength || owner > Pattern::kMostOwner)
    throw std::bad_alloc();
  const auto address =
      reinterpret_cast<std::uintptr_t>(is_kept ? Keep(form.text) : KeepSource(form));
  if (address > Pattern::kMostAddress) throw std::bad_alloc();
  // From here on nothing fails: a pattern that is there is whole.
  Pattern& pattern = patterns_.Grow();
  pattern.source_address = address & Pattern::kMostAddress;
  pattern.lead = EdgeBitsOf(form.edges.lead_bits, form.edges.lead_value);
  pattern.trail = EdgeBitsOf(form.edges.trail_bits, form.edges.trail_value);
  pattern.length = form.text.size() & Pattern::kMostLength;
  pattern.period = PeriodOf(form.text) & 15U;
  pattern.owner = owner & Pattern::kMostOwner;
  pattern.repeats_itself = repeats_itself;
  pattern.spelling = is_kept ? Spelling::kAsIs : form.spelling;
  pattern.kind = KindOf(form);
  for (std::size_t group = 0; group < kGroups; ++group) AddPlace(ByteAt(form.text, 0), group, 0);
  const std::string_view head = form.text.substr(0, kShortLength);
  std::size_t group = GroupOf(ByteAt(head, 0));
  for (std::size_t i = 1; i < head.size(); ++i) {
    AddPlace(ByteAt(head, i), std::exchange(group, GroupOf(ByteAt(head, i))), i);
  }
  for (std::size_t at = head.find('\n', kBeforeBreak); at != head.npos;
       at = head.find('\n', at + 1)) {
    SetBit(breaks_, BitOfBreak(head.substr(at - kBeforeBreak)));
  }
  for (std::size_t size = 1; size <= std::min(form.text.size(), HeadFilter::kLongest); ++size) {
    const bool counts = size == kSeamHead || Waits(pattern, size);
    if (counts) heads_.Add(form.text.substr(0, size));
  }
  if (form.text.size() < kSeamHead) has_short_.store(true, std::memory_order_release);
  if (pattern.lead.count != 0) {
    std::uint64_t values = 0;
    for (unsigned value = pattern.lead.value; value < 64; value += 1U << pattern.lead.count) {
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
  plaintexts_.clear();
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

void SortedIds::Add(PatternId id, std::uint64_t head) {
  if (ids_.size() % kStep == 0) step_heads_.push_back(static_cast<std::uint32_t>(head >> 32));
  ids_.push_back(id);
}

std::span<const PatternId> SortedIds::From(std::string_view text, const PatternStore& store) const {
  const auto [first, last] = std::ranges::equal_range(
      step_heads_, static_cast<std::uint32_t>(Spelled(text).WordAt(0) >> 32));
  const auto step_of = [&](auto head) {
    return static_cast<std::size_t>(head - step_heads_.begin());
  };
  const std::size_t begin = step_of(first) == 0 ? 0 : (step_of(first) - 1) * kStep;
  const std::span<const PatternId> all(ids_);
  const auto near = all.subspan(begin, std::min(step_of(last) * kStep, all.size()) - begin);
  const auto is_before = [&](PatternId id) {
    return Compare(store[id].text().Beginning(text.size()), Spelled(text)) < 0;
  };
  const auto found = std::ranges::partition_point(near, is_before);
  return all.subspan(begin + static_cast<std::size_t>(found - near.begin()));
}

void IndexView::ListProbed() noexcept {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool is_carried = carried && i == CarriedPatterns::kClass;
    if (classes[i] == nullptr || is_carried) continue;
    ProbePlan plan = classes[i]->plan();
    if (few[i]) plan.few = &*few[i];
    const bool carries = carried && i == CarriedPatterns::kClass + 1;
    probed_[probed_count_++] = {
        .table = classes[i].get(), .plan = plan, .carried = carries ? &*carried : nullptr};
  }
}

PatternIndex::PatternIndex()
    : store_(MakeSecret<PatternStore>()), sorted_(std::make_shared<SortedPatterns>()) {}

void PatternIndex::Insert(const FormText& form, OwnerId owner) {
  // The automaton is built anew for each that comes: of those it is not needed for, it takes some.
  constexpr std::size_t kMostOfFewBytes = 256;
  const bool repeats_itself = RepeatsItself(form.text) ||
                              (repeating_ids_.size() < kMostOfFewBytes && HasFewBytes(form.text));
  const PatternId id = store_->Add(form, owner, repeats_itself);
  has_base64_ = has_base64_ || form.is_base64;
  if (repeats_itself) {
    repeating_ids_.push_back(id);
    repeating_ = nullptr;
    return;
  }
  const std::size_t index = ClassOf(form.text.size());
  ++members_[index];
  if (index == CarriedPatterns::kClass && carried_ids_.size() <= CarriedPatterns::kMost) {
    carried_ids_.push_back(id);
  }
}

template <typename Take>
void PatternIndex::ForEachMember(std::size_t index, std::size_t first, Take take) const {
  for (std::size_t id = first; id < store_->size(); ++id) {
    const Pattern& pattern = (*store_)[static_cast<PatternId>(id)];
    if (!pattern.repeats_itself && ClassOf(pattern.length) == index) {
      take(static_cast<PatternId>(id), pattern);
    }
  }
}

// Enters members that are not yet in their tables.
void PatternIndex::EnterMembers(std::size_t index) {
  std::shared_ptr<LengthClass>& table = classes_[index];
  if (members_[index] == (table == nullptr ? 0 : table->size())) return;
  const auto takes_more = [&] {
    return table != nullptr && members_[index] <= table->most() && !IsTooCrowded(*table);
  };
  if (takes_more()) {
    Pattern::HeadRoom room;
    ForEachMember(index, entered_[index], [&](PatternId id, const Pattern& pattern) {
      if (IsTooCrowded(*table)) return;
      table->Insert(id, pattern.Head(room), LengthClass::IfCrowded::kEnter);
    });
  }
  if (!takes_more()) table = NewClass(index);  // readers keep the old one until they look again
  entered_[index] = store_->size();
}

std::shared_ptr<LengthClass> PatternIndex::NewClass(std::size_t index) const {
  constexpr std::size_t kLeastRoom = 24;
  const std::size_t before = classes_[index] == nullptr ? 0 : classes_[index]->size();
  const std::size_t room = std::max(kLeastRoom, before / 2);
  auto fresh =
      MakeSecret<LengthClass>(kClassShapes[index], std::max(members_[index], before + room));
  std::vector<PatternId> crowd;
  struct Prepared {
    PatternId id;
    Pattern::HeadRoom room;
    std::string_view head;
    std::uint8_t first_choice;
  };
  constexpr std::size_t kAhead = 8;
  std::array<Prepared, kAhead> ahead;
  const auto insert = [&](std::size_t number) {
    const Prepared& one = ahead[number % kAhead];
    const auto if_crowded = LengthClass::IfCrowded::kJoin;
    if (fresh->Insert(one.id, one.head, one.first_choice, if_crowded)) crowd.push_back(one.id);
  };
  std::size_t count = 0;
  ForEachMember(index, 0, [&](PatternId id, const Pattern& pattern) {
    if (count >= kAhead) insert(count - kAhead);
    Prepared& one = ahead[count % kAhead];
    one.id = id;
    one.head = pattern.Head(one.room);
    one.first_choice = fresh->Prepare(one.head);
    ++count;
  });
  for (std::size_t i = count - std::min(count, kAhead); i < count; ++i) insert(i);
  assert(count == members_[index]);
  if (!crowd.empty()) fresh->SetCrowd(std::make_unique<PrefixLookup>(*store_, crowd));
  return fresh;
}

// If the longest class can carry all patterns of the one before, those.
std::optional<CarriedPatterns> PatternIndex::Carried() {
  const std::vector<PatternId>& members = carried_ids_;
  LengthClass* const carrier = classes_[CarriedPatterns::kClass + 1].get();
  if (members.empty() || members.size() > CarriedPatterns::kMost || carrier == nullptr) return {};
  const auto is_too_short = [&](PatternId id) {
    return (*store_)[id].length < CarriedPatterns::kShortest;
  };
  if (std::ranges::any_of(members, is_too_short)) return {};
  CarriedPatterns carried;
  Pattern::HeadRoom room;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string_view text = (*store_)[members[i]].Head(room);
    if (i >= carrier->carried() && !carrier->Carry(text)) return {};
    carried.Add(members[i], text);
  }
  return carried;
}

void PatternIndex::Retire(OwnerId owner) {
  store_->Retire(owner);
  const auto is_retired = [&](PatternId id) { return (*store_)[id].owner == owner; };
  if (std::erase_if(repeating_ids_, is_retired) != 0) repeating_ = nullptr;
}

// A table that is made anew while a value waits to be found keeps it waiting.
bool PatternIndex::RenewTables() {
  bool is_any_new = false;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i] == nullptr || !IsNearlyFull(*classes_[i])) continue;
    classes_[i] = NewClass(i);
    entered_[i] = store_->size();
    is_any_new = true;
  }
  return is_any_new;
}

bool PatternIndex::Settle() {
  const bool is_any_new = RenewTables();
  return SortRecent() || is_any_new;
}

bool PatternIndex::SortRecent() {
  constexpr std::size_t kUnsorted = 256;
  constexpr std::size_t kShareUnsorted = 32;
  const std::size_t settled = sorted_->of_all.all().size();
  const std::size_t recent = store_->size() - settled;
  if (recent <= kUnsorted + settled / kShareUnsorted) return false;
  const auto keyed = [this](PatternId id) {
    return Keyed{.key = (*store_)[id].text().WordAt(0), .id = id};
  };
  const auto before = [this](const Keyed& a, const Keyed& b) {
    if (a.key != b.key) return a.key < b.key;
    return Compare((*store_)[a.id].text(), (*store_)[b.id].text()) < 0;
  };
  core::SecretVector<Keyed> old;
  old.reserve(settled);
  for (const PatternId id : sorted_->of_all.all()) old.push_back(keyed(id));
  core::SecretVector<Keyed> added;
  added.reserve(recent);
  for (std::size_t id = settled; id < store_->size(); ++id) {
    added.push_back(keyed(static_cast<PatternId>(id)));
  }
  SortByKey(added);
  for (auto first = added.begin(); first != added.end();) {
    const auto is_other = [&](const Keyed& one) { return one.key != first->key; };
    const auto last = std::find_if(first, added.end(), is_other);
    std::sort(first, last, before);
    first = last;
  }
  core::SecretVector<Keyed> all(store_->size());
  std::merge(old.begin(), old.end(), added.begin(), added.end(), all.begin(), before);
  auto sorted = std::make_shared<SortedPatterns>();
  sorted->of_all.Reserve(all.size());
  for (const Keyed& one : all) {
    sorted->of_all.Add(one.id, one.key);
    if ((*store_)[one.id].kind == PatternKind::kBase64) sorted->of_base64.Add(one.id, one.key);
  }
  sorted_ = std::move(sorted);
  return true;
}

std::shared_ptr<const RepeatingPatterns> PatternIndex::Repeating() const {
  const auto text = [this](PatternId id) {
    const Pattern& pattern = (*store_)[id];
    return std::string_view(pattern.source(), pattern.length);
  };
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
  auto view = MakeSecret<IndexView>();
  view->store = store_;
  view->sorted = sorted_;
  view->repeating = repeating_;
  view->count = store_->size();
  view->has_base64 = has_base64_;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    EnterMembers(i);
    view->classes[i] = classes_[i];
    if (classes_[i] != nullptr) view->few[i] = classes_[i]->few();
  }
  view->carried = Carried();
  view->ListProbed();
  return view;
}

}  // namespace qarion::secrets::scrub
