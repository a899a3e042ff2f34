// The remote secret: one JSON object whose members are the fields.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/snapshot.h"

namespace qarion::secrets::core {

// Reads the object (RFC 8259). Strings are taken as they are; numbers and booleans as their JSON
// text; objects and arrays as compact JSON; `null` members are left out, which means not set.
// Nothing of the text stays behind in unprotected memory. `origin` is put into every field.
// kBadData: not JSON, not an object, a member twice (at any depth), invalid UTF-8, nesting deeper
// than 32, more than 10,000 members, a name that is not a possible field name or over 1 MiB in all;
// with line and column, never with content.
Result<std::vector<Field>> FieldsFromJson(std::string_view json, const std::string& origin);

// Reads a JSON array of strings. `origin` as above. Errors as above; an element that is not a
// string is kBadData.
Result<std::vector<Secret>> StringsFromJson(std::string_view json, const std::string& origin);

}  // namespace qarion::secrets::core
