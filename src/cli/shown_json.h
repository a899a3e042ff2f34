// JSON of others, for people to look at.
#pragma once

#include <string>
#include <string_view>

namespace qarion::secrets::cli {

// The same values, indented as core::JsonWriter does. What a terminal would obey, or show as
// another text than there is, is written as \u escapes. `json` must be well-formed.
std::string ShownJson(std::string_view json);

}  // namespace qarion::secrets::cli
