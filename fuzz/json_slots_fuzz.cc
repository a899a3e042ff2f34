// A path on the first line, and any bytes as JSON. It is read as another reader reads it; what is
// found is where it is said to be, and nothing else changes when it is replaced.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_document.h"
#include "require.h"
#include "rotate/json_slots.h"
#include "rotate/json_strings.h"

namespace core = qarion::secrets::core;
namespace rotate = qarion::secrets::rotate;

namespace {

// Whether the other reader may refuse what is JSON: it has a smaller limit of depth, one of
// exponents, and no halves of surrogate pairs.
bool MayBeRefused(std::string_view json, const qarion::secrets::Error& error) {
  const std::string& reason = error.reason();
  return reason.find("nested deeper") != reason.npos || reason.find("exponent") != reason.npos ||
         json.find("\\u") != json.npos;
}

std::string Spliced(std::string_view json, const rotate::JsonSlotFinder& finder,
                    const std::vector<std::string_view>& texts) {
  std::vector<char> out;
  rotate::SpliceJson(json, finder.slots(), texts, out);
  return {out.begin(), out.end()};
}

void RequireFits(std::string_view json, const rotate::JsonSlotFinder& finder) {
  std::vector<std::string_view> texts;
  std::size_t last = 0;
  for (const rotate::JsonSlot& slot : finder.slots()) {
    Require(slot.begin >= last && slot.end > slot.begin + 1 && slot.end <= json.size());
    Require(json[slot.begin] == '"' && json[slot.end - 1] == '"');
    last = slot.end;
    texts.push_back(slot.text);
    const auto string =
        core::JsonDocument::Parse(json.substr(slot.begin, slot.end - slot.begin), "string");
    Require(string && string->root().Text() == slot.text);
  }
  Require(Spliced(json, finder, texts) == json);
}

// A replacement changes the strings alone, and is found in their place.
void RequireReplaceable(std::string_view json, const std::vector<rotate::JsonPath>& paths,
                        const rotate::JsonSlotFinder& finder) {
  const std::string text = "new\n\"\\\xc3\xbc";
  const std::vector<std::string_view> texts(finder.slots().size(), text);
  const std::string replaced = Spliced(json, finder, texts);
  rotate::JsonSlotFinder again(paths);
  Require(again.Find(replaced) && again.slots().size() == finder.slots().size());
  Require(std::ranges::all_of(again.slots(), [&](const auto& slot) { return slot.text == text; }));
}

void RequireVisitsAll(std::string_view json) {
  int checked = 0;
  const auto status = rotate::VisitJsonStrings(json, [&](const rotate::JsonString& string) {
    if (++checked > 5) return;
    auto path = rotate::JsonPath::Parse(string.path);
    Require(path.has_value());
    const std::vector<rotate::JsonPath> paths = {std::move(*path)};
    rotate::JsonSlotFinder finder(paths);
    if (!finder.Find(json)) return;  // half of a surrogate pair
    Require(std::ranges::any_of(finder.slots(), [&](const rotate::JsonSlot& slot) {
      return slot.begin == string.begin && slot.end == string.end && slot.text == string.text;
    }));
  });
  Require(status.has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), size);
  std::vector<rotate::JsonPath> paths;
  for (const std::string_view path : {text.substr(0, line), std::string_view("$.a"),
                                      std::string_view("$.*"), std::string_view("$[0].*")}) {
    auto parsed = rotate::JsonPath::Parse(path);
    if (parsed) paths.push_back(std::move(*parsed));
  }
  const std::string_view json = text.substr(std::min(line + 1, size));
  rotate::JsonSlotFinder finder(paths);
  const auto found = finder.Find(json);
  const auto document = core::JsonDocument::Parse(json, "document");
  if (!found) {
    Require(found.error().code() == qarion::secrets::ErrorCode::kBadData);
    Require(!document);
    return 0;
  }
  Require(document || MayBeRefused(json, document.error()));
  RequireFits(json, finder);
  RequireReplaceable(json, paths, finder);
  RequireVisitsAll(json);
  return 0;
}
