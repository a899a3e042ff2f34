#include "core/json_writer.h"

#include <string>
#include <utility>

namespace qarion::secrets::core {

JsonWriter& JsonWriter::Key(std::string_view name) {
  BeginItem();
  Quote(name);
  out_.Append(layout_ == JsonLayout::kCompact ? ":" : ": ");
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  BeginItem();
  Quote(text);
  return *this;
}

JsonWriter& JsonWriter::Number(std::int64_t number) {
  BeginItem();
  out_.Append(std::to_string(number));
  return *this;
}

JsonWriter& JsonWriter::UnsignedNumber(std::uint64_t number) {
  BeginItem();
  out_.Append(std::to_string(number));
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  BeginItem();
  out_.Append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::Null() {
  BeginItem();
  out_.Append("null");
  return *this;
}

JsonWriter& JsonWriter::Json(std::string_view json) {
  BeginItem();
  out_.Append(json);
  return *this;
}

Secret JsonWriter::Take() && {
  if (layout_ == JsonLayout::kIndented) out_.Append('\n');
  return std::move(out_).Seal();
}

JsonWriter& JsonWriter::Begin(char bracket) {
  BeginItem();
  out_.Append(bracket);
  has_items_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::End(char bracket) {
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (had_items) NewLine();
  out_.Append(bracket);
  return *this;
}

void JsonWriter::BeginItem() {
  if (std::exchange(after_key_, false) || has_items_.empty()) return;
  if (has_items_.back()) out_.Append(',');
  has_items_.back() = true;
  NewLine();
}

void JsonWriter::NewLine() {
  if (layout_ == JsonLayout::kCompact) return;
  out_.Append('\n');
  for (std::size_t i = 0; i < has_items_.size(); ++i) out_.Append("  ");
}

void JsonWriter::Quote(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  out_.Append('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_.Append('\\');
      out_.Append(c);
    } else if (c == '\n') {
      out_.Append("\\n");
    } else if (byte < 0x20 || byte == 0x7f) {
      out_.Append("\\u00");
      out_.Append(kDigits[byte >> 4]);
      out_.Append(kDigits[byte & 15]);
    } else {
      out_.Append(c);
    }
  }
  out_.Append('"');
}

}  // namespace qarion::secrets::core
