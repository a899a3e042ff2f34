#include "rotate/json_slots.h"

#include "core/json_escape.h"

namespace qarion::secrets::rotate {
namespace {

using Kind = PathStep::Kind;

}  // namespace

Status JsonSlotFinder::Find(std::string_view json) {
  slots_.clear();
  counts_.assign(paths_.size(), {});
  unescaped_.clear();
  frames_.clear();
  active_.clear();
  for (std::size_t i = 0; i < paths_.size(); ++i) active_.push_back(i);
  core::JsonReader reader(json);
  for (core::JsonEvent event = reader.Next(); event != core::JsonEvent::kEnd;
       event = reader.Next()) {
    if (event == core::JsonEvent::kWrong) return reader.Problem();
    // Unescaped text is never longer than its literal, so that with this room views of it stay.
    if (reader.has_escapes() && unescaped_.empty()) unescaped_.reserve(json.size());
    if (const Status taken = Take(reader, event); !taken) return taken.error();
  }
  return {};
}

Status JsonSlotFinder::Take(const core::JsonReader& reader, core::JsonEvent event) {
  switch (event) {
    case core::JsonEvent::kName: SelectMember(reader); return {};
    case core::JsonEvent::kEndObject:
    case core::JsonEvent::kEndArray:
      active_.resize(frames_.back().first);
      frames_.pop_back();
      return {};
    default: break;
  }
  if (!frames_.empty() && frames_.back().is_array) SelectElement();
  return TakeValue(reader, event);
}

void JsonSlotFinder::SelectMember(const core::JsonReader& reader) {
  const Frame& frame = frames_.back();
  if (frame.first == frame.last) return;
  const std::string_view name = reader.Text(name_);
  const std::size_t depth = frames_.size() - 1;
  for (std::size_t i = frame.first; i < frame.last; ++i) {
    const std::vector<PathStep>& steps = paths_[active_[i]].steps;
    if (steps.size() <= depth) continue;
    const PathStep& step = steps[depth];
    const bool leads_here =
        step.kind == Kind::kEveryChild || (step.kind == Kind::kMember && step.name == name);
    if (leads_here) active_.push_back(active_[i]);
  }
}

void JsonSlotFinder::SelectElement() {
  Frame& frame = frames_.back();
  const std::size_t index = frame.index++;
  const std::size_t depth = frames_.size() - 1;
  for (std::size_t i = frame.first; i < frame.last; ++i) {
    const std::vector<PathStep>& steps = paths_[active_[i]].steps;
    if (steps.size() <= depth) continue;
    const PathStep& step = steps[depth];
    const bool leads_here =
        step.kind == Kind::kEveryChild || (step.kind == Kind::kElement && step.index == index);
    if (leads_here) active_.push_back(active_[i]);
  }
}

Status JsonSlotFinder::TakeValue(const core::JsonReader& reader, core::JsonEvent event) {
  const std::size_t first = frames_.empty() ? 0 : frames_.back().last;
  bool is_found = false;
  for (std::size_t i = first; i < active_.size(); ++i) {
    const std::size_t path = active_[i];
    if (paths_[path].steps.size() != frames_.size()) continue;
    JsonPathCounts& counts = counts_[path];
    if (event == core::JsonEvent::kNull) {
      ++counts.nulls;
    } else if (event != core::JsonEvent::kString) {
      ++counts.others;
    } else {
      ++counts.strings;
      if (is_found) continue;
      is_found = true;
      if (const Status added = AddSlot(reader, path); !added) return added.error();
    }
  }
  if (event == core::JsonEvent::kBeginObject || event == core::JsonEvent::kBeginArray) {
    frames_.push_back({.first = first,
                       .last = active_.size(),
                       .index = 0,
                       .is_array = event == core::JsonEvent::kBeginArray});
  } else {
    active_.resize(first);
  }
  return {};
}

Status JsonSlotFinder::AddSlot(const core::JsonReader& reader, std::size_t path) {
  JsonSlot slot{
      .begin = reader.begin(), .end = reader.end(), .text = reader.inside(), .path = path};
  if (reader.has_escapes()) {
    const std::size_t begin = unescaped_.size();
    if (core::AppendJsonUnescaped(reader.inside(), unescaped_)) {
      return Error(ErrorCode::kBadData, "has half of a surrogate pair in the string at byte " +
                                            std::to_string(reader.begin() + 1));
    }
    slot.text = std::string_view(unescaped_).substr(begin);
  }
  slots_.push_back(slot);
  return {};
}

namespace {

void Append(std::string_view text, std::vector<char>& out) {
  out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

void SpliceJson(std::string_view json, std::span<const JsonSlot> slots,
                std::span<const std::string_view> texts, std::vector<char>& out) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (texts[i] == slots[i].text) continue;
    Append(json.substr(done, slots[i].begin - done), out);
    Append(core::QuotedJson(texts[i]), out);
    done = slots[i].end;
  }
  Append(json.substr(done), out);
}

}  // namespace qarion::secrets::rotate
