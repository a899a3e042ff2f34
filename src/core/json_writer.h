// Writes JSON (RFC 8259) for people and programs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

enum class JsonLayout {
  kIndented,  // by two blanks a level, with a newline at the end
  kCompact,   // without white space: for what is encoded, signed or sent
};

// What it writes may hold values, so it is gathered in secret memory. Text must be UTF-8.
class JsonWriter {
 public:
  explicit JsonWriter(JsonLayout layout = JsonLayout::kIndented) noexcept : layout_(layout) {}

  JsonWriter& BeginObject() { return Begin('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& BeginArray() { return Begin('['); }
  JsonWriter& EndArray() { return End(']'); }

  // In an object, before each value.
  JsonWriter& Key(std::string_view name);

  JsonWriter& Text(std::string_view text);
  JsonWriter& Number(std::int64_t number);
  JsonWriter& UnsignedNumber(std::uint64_t number);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // A value that is JSON already, as it is.
  JsonWriter& Json(std::string_view json);

  // What was written.
  Secret Take() &&;

 private:
  JsonWriter& Begin(char bracket);
  JsonWriter& End(char bracket);
  void BeginItem();
  void NewLine();
  void Quote(std::string_view text);

  JsonLayout layout_;
  SecretBuffer out_;
  std::vector<bool> has_items_;  // of each open object or array
  bool after_key_ = false;
};

}  // namespace qarion::secrets::core
