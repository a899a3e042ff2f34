// Any bytes as a field reference and as a name for the managed set.
#include <cstdint>
#include <string_view>

#include "qarion/secrets/field_set.h"
#include "require.h"

namespace secrets = qarion::secrets;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = secrets::CanonicalFieldName(text)) {
    // The canonical spelling is a name, and its own canonical spelling.
    Require(name->size() == text.size() && name->find('/') == std::string::npos);
    Require(secrets::CanonicalFieldName(*name).value() == *name);
    secrets::FieldSet fields;
    Require(fields.Add(*name).has_value() && fields.Contains(*name));
  }
  secrets::FieldSet fields;
  if (fields.Add(text)) Require(fields.Contains("X") == (text == "*" || text == "X"));
  return 0;
}
