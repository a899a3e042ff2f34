#include "jwt/json_object.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/json_escape.h"

namespace qarion::secrets::jwt {
namespace {

using core::JsonEvent;

Error NotStrict(const char* problem) { return Error(ErrorCode::kBadData, problem); }

// Names differ early, as a rule: a call is spared.
bool AreSame(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || (a.front() == b.front() && a == b));
}

template <typename Names, typename Projection>
bool HasDuplicates(const Names& names, Projection name_of) {
  constexpr std::size_t kFew = 16;
  if (names.size() <= kFew) {
    for (auto name = names.begin(); name != names.end(); ++name) {
      const std::string_view wanted = name_of(*name);
      if (std::any_of(names.begin(), name,
                      [&](const auto& earlier) { return AreSame(name_of(earlier), wanted); })) {
        return true;
      }
    }
    return false;
  }
  std::vector<std::string_view> sorted;
  sorted.reserve(names.size());
  for (const auto& name : names) sorted.push_back(name_of(name));
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) != sorted.end();
}

constexpr char kTwice[] = "has a member twice";

}  // namespace

Status JsonObject::Read(std::string_view text) {
  constexpr std::size_t kUsualMembers = 12;
  members_.clear();
  members_.reserve(kUsualMembers);
  unescaped_.clear();
  core::JsonReader reader(text, kDeepestJson);
  if (const JsonEvent first = reader.Next(); first != JsonEvent::kBeginObject) {
    return first == JsonEvent::kWrong ? reader.Problem() : NotStrict("is not a JSON object");
  }
  while (true) {
    const JsonEvent event = reader.Next();
    if (event == JsonEvent::kEndObject) break;
    if (event == JsonEvent::kWrong) return reader.Problem();
    JsonMember member{};
    auto name = ReadText(reader);
    if (!name) return std::move(name).error();
    member.name = *name;
    member.kind = reader.Next();
    if (member.kind == JsonEvent::kWrong) return reader.Problem();
    const std::size_t begin = reader.begin();
    if (member.kind == JsonEvent::kString) {
      auto value = ReadText(reader);
      if (!value) return std::move(value).error();
      member.text = *value;
    } else if (member.kind == JsonEvent::kBeginObject || member.kind == JsonEvent::kBeginArray) {
      if (auto read = ReadRest(reader, member.kind); !read) return read;
    }
    member.json = text.substr(begin, reader.end() - begin);
    members_.push_back(member);
  }
  if (reader.Next() != JsonEvent::kEnd) return reader.Problem();
  if (HasDuplicates(members_, [](const JsonMember& member) { return member.name; })) {
    return NotStrict(kTwice);
  }
  return {};
}

// The rest of a value that began with `event`: of an object or array, up to its end.
Status JsonObject::ReadRest(core::JsonReader& reader, JsonEvent event) {
  inner_names_.clear();
  inner_objects_.clear();
  for (std::size_t open = 0;; event = reader.Next()) {
    switch (event) {
      case JsonEvent::kBeginObject: inner_objects_.push_back(inner_names_.size()); [[fallthrough]];
      case JsonEvent::kBeginArray: ++open; break;
      case JsonEvent::kEndObject: {
        const auto names = std::span(inner_names_).subspan(inner_objects_.back());
        if (HasDuplicates(names, [](std::string_view name) { return name; })) {
          return NotStrict(kTwice);
        }
        inner_names_.resize(inner_objects_.back());
        inner_objects_.pop_back();
        [[fallthrough]];
      }
      case JsonEvent::kEndArray: --open; break;
      case JsonEvent::kName:
      case JsonEvent::kString: {
        auto text = ReadText(reader);
        if (!text) return std::move(text).error();
        if (event == JsonEvent::kName) inner_names_.push_back(*text);
        break;
      }
      case JsonEvent::kWrong: return reader.Problem();
      default: break;
    }
    if (open == 0) return {};
  }
}

// What a string or name says.
Result<std::string_view> JsonObject::ReadText(const core::JsonReader& reader) {
  if (!reader.has_escapes()) return reader.inside();
  std::string& room = unescaped_.emplace_front();
  if (core::AppendJsonUnescaped(reader.inside(), room)) {
    return NotStrict("has half of a surrogate pair");
  }
  return std::string_view(room);
}

const JsonMember* JsonObject::Find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(members_, name, &JsonMember::name);
  return found != members_.end() ? &*found : nullptr;
}

namespace {

// Calls `take` with each text of an array. False where something else is in it.
template <typename Take>
bool ForEachText(std::string_view json, const Take& take) {
  core::JsonReader reader(json);
  if (reader.Next() != JsonEvent::kBeginArray) return false;
  std::string room;
  for (JsonEvent event = reader.Next(); event != JsonEvent::kEndArray; event = reader.Next()) {
    if (event != JsonEvent::kString) return false;
    take(reader.Text(room));
  }
  return true;
}

}  // namespace

bool IsArrayOfTexts(std::string_view json) {
  return ForEachText(json, [](std::string_view) {});
}

bool HasText(std::string_view json, std::string_view wanted) {
  bool is_there = false;
  const bool is_array =
      ForEachText(json, [&](std::string_view text) { is_there = is_there || text == wanted; });
  return is_array && is_there;
}

std::optional<std::vector<std::string>> TextsOf(std::string_view json) {
  std::vector<std::string> texts;
  if (!ForEachText(json, [&](std::string_view text) { texts.emplace_back(text); })) {
    return std::nullopt;
  }
  return texts;
}

}  // namespace qarion::secrets::jwt
