#include "qarion/secrets/field_set.h"

#include <algorithm>

#include "core/field_catalog.h"
#include "core/settings.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kMaxNameBytes = 128;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameByte(char c) {
  return IsUpper(c) || IsLower(c) || IsDigit(c) || c == '_' || c == '-' || c == '.';
}
bool MayBegin(char c) { return IsUpper(c) || IsLower(c) || c == '_'; }

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && MayBegin(name.front()) &&
         std::all_of(name.begin(), name.end(), IsNameByte);
}

// What was given, fit for a message: it may be a value put in the wrong place, so only the
// characters of a name are shown and not many of them.
std::string Shown(std::string_view text) {
  if (text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [](char c) {
        return IsNameByte(c) || c == '*' || c == '/';
      })) {
    return "'" + std::string(text) + "'";
  }
  return "a text of " + std::to_string(text.size()) + " bytes";
}

}  // namespace

FieldSet FieldSet::BuiltIn() {
  FieldSet fields;
  for (const core::CatalogEntry& entry : core::FieldCatalog()) {
    // The catalogue's names are well formed: a test adds each to a set.
    static_cast<void>(fields.Add(entry.name));
  }
  return fields;
}

Status FieldSet::Add(std::string_view name_or_family) {
  if (name_or_family == "*") {
    everything_ = true;
    return {};
  }
  const bool family = name_or_family.ends_with('*');
  std::string_view name = name_or_family;
  if (family) name.remove_suffix(1);
  if (!IsName(name)) {
    return Error(ErrorCode::kConfiguration, Shown(name_or_family) + " is not a possible field name")
        .Cure("use letters, digits, '_', '-' and '.', beginning with a letter or '_', " +
              std::to_string(kMaxNameBytes) + " at most; one '*' may stand at the end");
  }
  auto& list = family ? families_ : names_;
  if (std::find(list.begin(), list.end(), name) == list.end()) list.emplace_back(name);
  return {};
}

bool FieldSet::Contains(std::string_view name) const noexcept {
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) return true;
  if (!IsName(name)) return false;
  if (std::any_of(families_.begin(), families_.end(), [&](const auto& family) {
        return name.size() > family.size() && name.starts_with(family);
      })) {
    return true;
  }
  return everything_ && !core::IsGeneralSetting(name);
}

Result<std::string> CanonicalFieldName(std::string_view reference) {
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kUsage,
                 Shown(reference) + " is not a field reference: " + std::string(why))
        .Cure("write a name (LLM_API_KEY_CONTROL_PLANE) or a path (llm_api_key/control_plane)");
  };
  if (reference.empty()) return refuse("it is empty");
  if (reference.size() > kMaxNameBytes) return refuse("it is too long");
  std::string name(reference);
  if (reference.find('/') != std::string_view::npos) {
    if (reference.starts_with('/') || reference.ends_with('/') ||
        reference.find("//") != std::string_view::npos) {
      return refuse("a part between slashes is empty");
    }
    for (char& c : name) {
      if (c == '/') c = '_';
      if (IsLower(c)) c = static_cast<char>(c - 'a' + 'A');
    }
  }
  if (!IsName(name)) return refuse("it has a character that no field name has");
  return name;
}

}  // namespace qarion::secrets
