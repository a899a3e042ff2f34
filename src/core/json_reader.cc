#include "core/json_reader.h"

#include "core/ascii.h"
#include "core/json_escape.h"

namespace qarion::secrets::core {
namespace {

constexpr char kNotJson[] = "is not JSON";
constexpr char kTooDeep[] = "is JSON that is nested deeper than ";

bool IsWhite(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

}  // namespace

JsonEvent JsonReader::Wrong(const char* problem) noexcept {
  problem_ = problem;
  return JsonEvent::kWrong;
}

std::string_view JsonReader::Text(std::string& room) const {
  if (!has_escapes_) return inside();
  room.clear();
  AppendJsonUnescaped(inside(), room);
  return room;
}

Error JsonReader::Problem() const {
  std::string problem = problem_;
  if (problem_ == kTooDeep) problem += std::to_string(deepest_);
  return Error(ErrorCode::kBadData, problem + ", at byte " + std::to_string(at_ + 1));
}

void JsonReader::SkipWhite() noexcept {
  while (at_ < text_.size() && IsWhite(text_[at_])) ++at_;
  begin_ = at_;
}

JsonEvent JsonReader::Next() noexcept {
  if (problem_ != nullptr) return JsonEvent::kWrong;
  SkipWhite();
  switch (expected_) {
    case Expected::kFirstElement: return Peek() == ']' ? Close() : ReadValue();
    case Expected::kValue: return ReadValue();
    case Expected::kFirstName: return Peek() == '}' ? Close() : ReadName();
    case Expected::kColon:
      if (Peek() != ':') return Wrong(kNotJson);
      ++at_;
      SkipWhite();
      return ReadValue();
    case Expected::kNextOrEnd: break;
  }
  return ReadNextOrEnd();
}

JsonEvent JsonReader::ReadNextOrEnd() noexcept {
  if (depth_ == 0) {
    return at_ == text_.size() ? JsonEvent::kEnd : Wrong("has more text after its JSON value");
  }
  const bool is_object = is_object_[depth_ - 1];
  if (Peek() == (is_object ? '}' : ']')) return Close();
  if (Peek() != ',') return Wrong(kNotJson);
  ++at_;
  SkipWhite();
  return is_object ? ReadName() : ReadValue();
}

JsonEvent JsonReader::Open(bool is_object) noexcept {
  if (depth_ == deepest_) return Wrong(kTooDeep);
  ++at_;
  is_object_[depth_++] = is_object;
  expected_ = is_object ? Expected::kFirstName : Expected::kFirstElement;
  return is_object ? JsonEvent::kBeginObject : JsonEvent::kBeginArray;
}

JsonEvent JsonReader::Close() noexcept {
  ++at_;
  expected_ = Expected::kNextOrEnd;
  return is_object_[--depth_] ? JsonEvent::kEndObject : JsonEvent::kEndArray;
}

JsonEvent JsonReader::ReadName() noexcept {
  if (!ReadString()) return Wrong(kNotJson);
  expected_ = Expected::kColon;
  return JsonEvent::kName;
}

JsonEvent JsonReader::ReadValue() noexcept {
  expected_ = Expected::kNextOrEnd;
  switch (Peek()) {
    case '{': return Open(true);
    case '[': return Open(false);
    case '"': return ReadString() ? JsonEvent::kString : Wrong(kNotJson);
    case 't': return ReadWord("true", JsonEvent::kBool);
    case 'f': return ReadWord("false", JsonEvent::kBool);
    case 'n': return ReadWord("null", JsonEvent::kNull);
    default: return ReadNumber() ? JsonEvent::kNumber : Wrong(kNotJson);
  }
}

JsonEvent JsonReader::ReadWord(std::string_view word, JsonEvent event) noexcept {
  if (!text_.substr(at_).starts_with(word)) return Wrong(kNotJson);
  at_ += word.size();
  return event;
}

// "number = [ minus ] int [ frac ] [ exp ]". What follows it shows whether it ends there.
bool JsonReader::ReadNumber() noexcept {
  const auto read_digits = [this] {
    const std::size_t first = at_;
    while (IsDigit(Peek())) ++at_;
    return at_ > first;
  };
  if (Peek() == '-') ++at_;
  if (Peek() == '0') {
    ++at_;
  } else if (!read_digits()) {
    return false;
  }
  if (Peek() == '.') {
    ++at_;
    if (!read_digits()) return false;
  }
  if (AsciiLower(Peek()) == 'e') {
    ++at_;
    if (Peek() == '+' || Peek() == '-') ++at_;
    if (!read_digits()) return false;
  }
  return true;
}

bool JsonReader::ReadString() noexcept {
  has_escapes_ = false;
  if (Peek() != '"') return false;
  ++at_;
  while (true) {
    at_ += PlainJsonLength(text_.substr(at_));
    if (Peek() == '"') break;
    if (Peek() != '\\') return false;
    const auto escape = ReadJsonEscape(text_.substr(at_));
    if (!escape) return false;
    has_escapes_ = true;
    at_ += escape->length;
  }
  ++at_;
  return is_ascii_ || !FindInvalidUtf8(inside());
}

}  // namespace qarion::secrets::core
