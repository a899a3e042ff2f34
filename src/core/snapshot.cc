#include "qarion/secrets/snapshot.h"

#include <bit>
#include <cstring>
#include <utility>

namespace qarion::secrets {
namespace {

std::uint64_t Load(const char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

// Looks at both ends of a name and at its length, which tell the names of fields apart, and costs a
// third of std::hash. Names are not chosen by an enemy, and a collision costs one comparison.
std::size_t Hash(std::string_view name) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t size = name.size();
  const std::uint64_t front = size >= kWord ? Load(name.data(), kWord) : Load(name.data(), size);
  const std::uint64_t back = size >= kWord ? Load(name.data() + size - kWord, kWord) : 0;
  const std::uint64_t mixed = (front ^ std::rotl(back, 29) ^ size) * kMultiplier;
  return static_cast<std::size_t>(mixed >> 32);
}

}  // namespace

Snapshot::Snapshot(Contents contents) : contents_(std::move(contents)) {
  // At most half full, so that a miss ends soon.
  table_.resize(std::bit_ceil(contents_.fields.size() * 2 + 1));
  const std::size_t mask = table_.size() - 1;
  for (std::uint32_t i = 0; i < contents_.fields.size(); ++i) {
    std::size_t slot = Hash(contents_.fields[i].name) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = i + 1;
  }
}

const Secret* Snapshot::Find(std::string_view name) const noexcept {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t slot = Hash(name) & mask; table_[slot] != 0; slot = (slot + 1) & mask) {
    const Field& field = contents_.fields[table_[slot] - 1];
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

}  // namespace qarion::secrets
