#include "qarion/secrets/snapshot.h"

#include <bit>
#include <cstring>
#include <utility>

namespace qarion::secrets {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

std::uint64_t Load(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, kWord);
  return word;
}

std::uint64_t LoadShort(std::string_view bytes) {
  std::uint64_t word = 0;
  for (const char c : bytes) word = word << 8 | static_cast<unsigned char>(c);
  return word;
}

// Looks at both ends of a name and at its length, which tell the names of fields apart, and costs a
// third of std::hash. Names are not chosen by an enemy, and a collision costs one comparison.
std::size_t Hash(std::string_view name) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  const std::size_t size = name.size();
  const std::uint64_t ends =
      size < kWord ? LoadShort(name)
                   : Load(name.data()) ^ std::rotl(Load(name.data() + size - kWord), 29);
  return static_cast<std::size_t>(((ends ^ size) * kMultiplier) >> 32);
}

// As ==, without a call for what is longer than a word.
bool Equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < kWord) return LoadShort(a) == LoadShort(b);
  const std::size_t last = a.size() - kWord;
  for (std::size_t i = 0; i < last; i += kWord) {
    if (Load(a.data() + i) != Load(b.data() + i)) return false;
  }
  return Load(a.data() + last) == Load(b.data() + last);
}

}  // namespace

Snapshot::Snapshot(Contents contents) : contents_(std::move(contents)) {
  // At most half full, so that a miss ends soon.
  table_.resize(std::bit_ceil(contents_.fields.size() * 2 + 1));
  const std::size_t mask = table_.size() - 1;
  for (const Field& field : contents_.fields) {
    std::size_t slot = Hash(field.name) & mask;
    while (table_[slot] != nullptr) slot = (slot + 1) & mask;
    table_[slot] = &field;
  }
}

const Secret* Snapshot::Find(std::string_view name) const noexcept {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t slot = Hash(name) & mask;; slot = (slot + 1) & mask) {
    const Field* field = table_[slot];
    if (field == nullptr) return nullptr;
    if (Equal(field->name, name)) return &field->value;
  }
}

}  // namespace qarion::secrets
