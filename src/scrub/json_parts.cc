#include <algorithm>
#include <string>

#include "core/ascii.h"
#include "core/json_escape.h"
#include "core/json_reader.h"
#include "core/utf8.h"
#include "qarion/secrets/secret.h"
#include "scrub/parts.h"
#include "scrub/public_names.h"

namespace qarion::secrets::scrub {
namespace {

// What the inside of a string says; `room` keeps it where that is not as it is written.
std::string_view Unescaped(std::string_view inside, SecretBuffer& room) {
  if (!inside.contains('\\')) return inside;
  room.Clear();
  while (!inside.empty()) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    room.Append(inside.substr(0, plain));
    inside.remove_prefix(plain);
    const auto escape = core::ReadJsonEscape(inside);
    if (!escape) break;
    std::string character;  // too short to be anywhere but on the stack
    core::AppendCharacter(escape->code_point, character);
    room.Append(character);
    inside.remove_prefix(escape->length);
  }
  return room.Reveal();
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == text.npos || at == 0) return false;
  const std::string_view domain = text.substr(at + 1);
  const auto is_label = [](char c) { return core::IsLetterOrDigit(c) || c == '-' || c == '.'; };
  return domain.contains('.') && std::ranges::all_of(domain, is_label) &&
         std::ranges::all_of(text.substr(0, at), [](char c) {
           return core::IsLetterOrDigit(c) || std::string_view("._%+-").contains(c);
         });
}

// Whether it is a word or a version as paths have them: no upper case, at most two digits.
bool IsOrdinarySegment(std::string_view text) {
  constexpr std::size_t kLong = 16;
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return text.size() < kLong && std::ranges::count_if(text, core::IsDigit) <= 2 &&
         std::ranges::all_of(
             text,
             [&](char c) {
               return is_lower(c) || core::IsDigit(c) || std::string_view("-_.").contains(c);
             });
}

bool IsUrlWithoutSecret(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == text.npos || !std::ranges::all_of(text.substr(0, colon), core::IsLetterOrDigit) ||
      !core::IsVisible(text) || text.find_first_of("@?#") != text.npos) {
    return false;
  }
  std::string_view path = text.substr(colon + 3);
  path.remove_prefix(std::min(path.find('/'), path.size()));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t segment = std::min(path.find('/'), path.size());
    if (!IsOrdinarySegment(path.substr(0, segment))) return false;
    path.remove_prefix(segment);
  }
  return true;
}

}  // namespace

bool IsPublicMember(std::string_view name, std::string_view text) {
  if (IsPublicName(name)) return !(text.contains("://") && text.contains('@'));
  if (IsSecretName(name)) return false;
  return IsPublicWord(text) || IsEmail(text) || IsUrlWithoutSecret(text);
}

bool ForEachJsonSecret(std::string_view json, const std::function<void(const JsonSecret&)>& found) {
  const std::string_view trimmed = core::Trimmed(json);
  if (!trimmed.starts_with('{') && !trimmed.starts_with('[')) return false;
  core::JsonReader reader(json);
  std::string_view name;  // of the member that a value belongs to
  SecretBuffer room;
  while (true) {
    switch (reader.Next()) {
      case core::JsonEvent::kName: name = reader.inside(); break;
      case core::JsonEvent::kEndObject: name = {}; break;
      case core::JsonEvent::kString: {
        const std::string_view text = Unescaped(reader.inside(), room);
        if (IsPublicMember(name, text)) break;
        found({.begin = reader.begin(), .is_string = true, .text = text});
        break;
      }
      case core::JsonEvent::kNumber:
        if (!IsPublicName(name)) found({.begin = reader.begin(), .is_string = false, .text = {}});
        break;
      case core::JsonEvent::kEnd: return true;
      case core::JsonEvent::kWrong: return false;
      default: break;
    }
  }
}

}  // namespace qarion::secrets::scrub
