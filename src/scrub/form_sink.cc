#include "scrub/form_sink.h"

#include <algorithm>
#include <utility>

namespace qarion::secrets::scrub {
namespace {

// All forms of a value of 64 KiB, the most that AWS and Google store, fit whatever it holds.
constexpr std::size_t kRoom = std::size_t{112} << 20;
constexpr std::size_t kRoomPerByte = 4;

constexpr std::size_t kDefaultMinLength = 4;

}  // namespace

bool SeenTexts::Insert(std::string_view text, std::uint64_t role) {
  return InsertHash(std::hash<std::string_view>()(text) ^ role * 0x9E3779B97F4A7C15);
}

bool SeenTexts::InsertHash(std::uint64_t hash) {
  if (hash == 0) hash = 1;
  if (2 * count_ >= slots_.size()) Double();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] == hash) return false;
  }
  slots_[at] = hash;
  ++count_;
  return true;
}

void SeenTexts::Double() {
  const auto old = std::exchange(slots_, core::SecretVector<std::uint64_t>(2 * slots_.size()));
  count_ = 0;
  for (const std::uint64_t hash : old) {
    if (hash != 0) InsertHash(hash);
  }
}

FormSink::FormSink(const FormRules& rules, const Emit& emit, std::size_t value_size)
    : rules_(rules), emit_(emit), room_(kRoom + kRoomPerByte * value_size) {}

std::size_t FormSink::min_length() const {
  return rules_.min_length == 0 ? kDefaultMinLength : rules_.min_length;
}

void FormSink::Add(const FormText& text) {
  if (text.text.empty() || !Wants(text.form)) return;
  // The same text may count in two ways, as a part and as base64 of another, with other edges.
  const Base64Edges& edges = text.edges;
  const std::uint64_t role =
      std::uint64_t{text.is_base64} | std::uint64_t{text.only_as_word} << 1 |
      std::uint64_t{edges.lead_bits} << 2 | std::uint64_t{edges.lead_value} << 8 |
      std::uint64_t{edges.trail_bits} << 16 | std::uint64_t{edges.trail_value} << 24;
  if (!seen_.Insert(text.text, role)) return;
  room_ -= std::min(room_, RoomOf(text));
  emit_(text);
}

}  // namespace qarion::secrets::scrub
