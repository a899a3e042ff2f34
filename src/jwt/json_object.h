// A JSON object (RFC 8259) as headers and payloads of tokens have it, read strictly.
#pragma once

#include <cstddef>
#include <forward_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_reader.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::jwt {

// How deep an object may be nested, itself counted.
inline constexpr std::size_t kDeepestJson = 16;

struct JsonMember {
  std::string_view name;  // as it is meant
  std::string_view json;  // the value as it stands in the text
  std::string_view text;  // of a string, as it is meant
  core::JsonEvent kind;   // of the value: how it begins
};

// Views into the text, which must outlive it.
//
// Thread-safety: const members from several threads.
class JsonObject {
 public:
  // Replaces what it holds. kBadData: not one JSON object; a name twice in one object, at any
  // depth; nested too deep; not UTF-8, or half of a surrogate pair. Without content. Allocates
  // nothing where there are no escapes and no objects within, once room has grown.
  Status Read(std::string_view text);

  const JsonMember* Find(std::string_view name) const noexcept;
  std::span<const JsonMember> members() const noexcept { return members_; }

 private:
  Status ReadRest(core::JsonReader& reader, core::JsonEvent event);
  Result<std::string_view> ReadText(const core::JsonReader& reader);

  std::vector<JsonMember> members_;
  std::forward_list<std::string> unescaped_;
  std::vector<std::string_view> inner_names_;  // of the objects that are open, one after the other
  std::vector<std::size_t> inner_objects_;     // where the names of each begin
};

// Of an array in `json`, which was read by a JsonObject: whether it has texts alone, whether one of
// them is `wanted` (not where it has something else), and all of them (nothing there).
bool IsArrayOfTexts(std::string_view json);
bool HasText(std::string_view json, std::string_view wanted);
std::optional<std::vector<std::string>> TextsOf(std::string_view json);

}  // namespace qarion::secrets::jwt
