#include "scrub/scrub_cases.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string_view>
#include <utility>

namespace qarion::secrets::scrub {
namespace {

struct Json {
  std::optional<std::string>
      text;  // of a string; of anything else but arrays and objects as written
  bool is_null = false;
  std::vector<Json> items;
  std::map<std::string, Json> members;

  const Json* Find(const std::string& name) const {
    const auto found = members.find(name);
    return found == members.end() || found->second.is_null ? nullptr : &found->second;
  }
};

// Reads what the file consists of; the file is trusted to be JSON.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Json Value() {
    Json value;
    switch (Next()) {
      case '{':
        while (Separated('}')) {
          std::string name = String();
          Take(':');
          value.members.emplace(std::move(name), Value());
        }
        break;
      case '[':
        while (Separated(']')) value.items.push_back(Value());
        break;
      case '"': value.text = String(); break;
      default: value.text = Word(); value.is_null = value.text == "null";
    }
    return value;
  }

 private:
  [[noreturn]] void Fail() const {
    std::cerr << "scrub_cases.json: cannot be read at byte " << position_ << '\n';
    std::abort();
  }
  char Next() {
    position_ = text_.find_first_not_of(" \t\r\n", position_);
    if (position_ == std::string_view::npos) Fail();
    return text_[position_];
  }
  void Take(char expected) {
    if (Next() != expected) Fail();
    ++position_;
  }
  // Steps over the opening bracket or a comma; false at the closing bracket, which it takes.
  bool Separated(char closing) {
    const char here = Next();
    ++position_;
    if (here == closing) return false;
    if (here != ',' && Next() == closing) return ++position_, false;
    return true;
  }
  std::string Word() {
    const std::size_t end = text_.find_first_of(",]} \t\r\n", position_);
    if (end == std::string_view::npos) Fail();
    const std::size_t begin = std::exchange(position_, end);
    return std::string(text_.substr(begin, end - begin));
  }
  std::string String() {
    Take('"');
    std::string value;
    while (text_.at(position_) != '"') {
      const char c = text_[position_++];
      if (c == '\\') {
        Escape(value);
      } else {
        value += c;
      }
    }
    ++position_;
    return value;
  }
  void Escape(std::string& value) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char name = text_.at(position_++);
    if (name != 'u') {
      value += kMeanings.at(kNames.find(name));
      return;
    }
    std::uint32_t code = HexUnit();
    if (code >= 0xD800 && code < 0xDC00) {
      position_ += 2;  // the `\u` of the second half
      code = 0x10000 + ((code - 0xD800) << 10) + (HexUnit() - 0xDC00);
    }
    AppendUtf8(code, value);
  }
  std::uint32_t HexUnit() {
    const std::string digits(text_.substr(position_, 4));
    position_ += 4;
    return static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16));
  }
  static void AppendUtf8(std::uint32_t code, std::string& value) {
    const auto put = [&](std::uint32_t byte) { value += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xC0 | code >> 6);
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
    }
    put(0x80 | (code & 0x3F));
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

// `raw: latin1`: each character stands for one byte. Those are U+0000 to U+00FF.
std::string Latin1Bytes(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>((lead & 3) << 6 | (utf8.at(++i) & 0x3F));
    }
  }
  return bytes;
}

ScrubCase ToCase(const Json& json) {
  const bool latin1 = json.Find("raw") != nullptr;
  const auto bytes = [&](const Json& value) {
    return latin1 ? Latin1Bytes(value.text.value()) : value.text.value();
  };
  const auto optional = [&](const Json& in, const char* name) -> std::optional<std::string> {
    const Json* const value = in.Find(name);
    return value == nullptr ? std::nullopt : std::optional(bytes(*value));
  };
  const auto list = [&](const Json& in, const char* name) {
    std::vector<std::string> texts;
    if (const Json* const items = in.Find(name); items != nullptr) {
      for (const Json& item : items->items) texts.push_back(bytes(item));
    }
    return texts;
  };
  ScrubCase result{.id = std::stoi(json.Find("id")->text.value()),
                   .source = json.Find("source")->text.value(),
                   .secrets = list(json, "secrets"),
                   .chunks = list(json, "chunks"),
                   .expected = optional(json, "expected"),
                   .union_with_adjacent_merge = optional(json, "union_with_adjacent_merge"),
                   .first_output = optional(json, "first_output"),
                   .events = {}};
  if (const Json* const events = json.Find("events"); events != nullptr) {
    for (const Json& event : events->items) {
      result.events.push_back({.write = optional(event, "write"), .add = list(event, "add")});
    }
  }
  return result;
}

}  // namespace

std::vector<ScrubCase> ReadScrubCases(const std::string& text) {
  std::vector<ScrubCase> cases;
  for (const Json& json : Reader(text).Value().items) cases.push_back(ToCase(json));
  return cases;
}

}  // namespace qarion::secrets::scrub
