#include "qarion/secrets/snapshot.h"

#include <bit>
#include <functional>
#include <utility>

namespace qarion::secrets {
namespace {

std::size_t Hash(std::string_view name) { return std::hash<std::string_view>{}(name); }

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
