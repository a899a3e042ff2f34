// The JSON payload of a remote secret: whatever arrives is read or refused, and compact JSON is not
// changed by reading it once more.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json_fields.h"

namespace {

using qarion::secrets::core::FieldsFromJson;

// `value` as it comes out of an object; empty where it is not JSON.
std::string Compact(std::string_view value) {
  const auto fields = FieldsFromJson("{\"A\":" + std::string(value) + "}", "fuzz");
  return fields && fields->size() == 1 ? std::string(fields->front().value.Reveal()) : "";
}

void CheckThatCompactingTwiceIsCompactingOnce(std::string_view value) {
  if (value.empty() || (value.front() != '{' && value.front() != '[')) return;
  const std::string once = Compact(value);
  if (!once.empty() && Compact(once) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto fields = FieldsFromJson(text, "fuzz");
  if (fields) {
    for (const auto& field : *fields)
      CheckThatCompactingTwiceIsCompactingOnce(field.value.Reveal());
  }
  static_cast<void>(qarion::secrets::core::StringsFromJson(text, "fuzz"));
  return 0;
}
