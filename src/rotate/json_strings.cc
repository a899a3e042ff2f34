#include "rotate/json_strings.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/ascii.h"
#include "core/json_escape.h"
#include "core/json_reader.h"
#include "core/utf8.h"
#include "rotate/plan.h"

namespace qarion::secrets::rotate {
namespace {

// Writes the path of each value.
class PathWriter {
 public:
  void Open(bool is_array) { frames_.push_back({.path_size = path_.size(), .is_array = is_array}); }
  void Close() {
    path_.resize(frames_.back().path_size);
    frames_.pop_back();
  }
  void SetMember(std::string_view name) {
    path_.resize(frames_.back().path_size);
    std::string step;
    if (IsShorthand(name)) {
      step = "." + std::string(name);
    } else if (!core::FindInvalidUtf8(name)) {
      step = "[" + core::QuotedJson(name) + "]";
    }
    AppendStep(step);
  }
  // Before each value.
  void BeginValue() {
    if (frames_.empty() || !frames_.back().is_array) return;
    path_.resize(frames_.back().path_size);
    AppendStep("[" + std::to_string(frames_.back().index++) + "]");
  }
  std::string_view path() const { return path_; }

 private:
  struct Frame {
    std::size_t path_size;  // of the path of the object or array itself
    std::size_t index = 0;
    bool is_array = false;
  };

  // RFC 9535, 2.5.1: "member-name-shorthand".
  static bool IsShorthand(std::string_view name) {
    if (name.empty() || core::IsDigit(name.front()) || core::FindInvalidUtf8(name)) return false;
    return std::ranges::all_of(name, [](char c) {
      return c == '_' || core::IsLetterOrDigit(c) || static_cast<unsigned char>(c) >= 0x80;
    });
  }

  // Leaves room for ".*" in the place of each further step.
  void AppendStep(const std::string& step) {
    constexpr std::size_t kMost = kMostPathBytes - 2 * kMostPathSteps;
    path_ += step.empty() || path_.size() + step.size() > kMost ? ".*" : step;
  }

  std::string path_ = "$";
  std::vector<Frame> frames_;
};

}  // namespace

Status VisitJsonStrings(std::string_view json,
                        const std::function<void(const JsonString&)>& visit) {
  PathWriter path;
  std::string room;
  core::JsonReader reader(json);
  for (core::JsonEvent event = reader.Next(); event != core::JsonEvent::kEnd;
       event = reader.Next()) {
    switch (event) {
      case core::JsonEvent::kWrong: return reader.Problem();
      case core::JsonEvent::kName: path.SetMember(reader.Text(room)); continue;
      case core::JsonEvent::kEndObject:
      case core::JsonEvent::kEndArray: path.Close(); continue;
      default: path.BeginValue(); break;
    }
    if (event == core::JsonEvent::kBeginObject || event == core::JsonEvent::kBeginArray) {
      path.Open(event == core::JsonEvent::kBeginArray);
    } else if (event == core::JsonEvent::kString) {
      visit({.begin = reader.begin(),
             .end = reader.end(),
             .text = reader.Text(room),
             .path = path.path()});
    }
  }
  return {};
}

}  // namespace qarion::secrets::rotate
