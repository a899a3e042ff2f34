// The managed fields every deployment has, and what each is for.
#pragma once

#include <span>
#include <string_view>

namespace qarion::secrets::core {

struct CatalogEntry {
  std::string_view name;  // or a family, ending in `*`
  std::string_view purpose;
};

std::span<const CatalogEntry> FieldCatalog() noexcept;

// The purpose of a field, of its family, or "" for a field that the operator added.
std::string_view PurposeOf(std::string_view field) noexcept;

}  // namespace qarion::secrets::core
