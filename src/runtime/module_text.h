// Text that a module hands over, made fit for messages and logs.
#pragma once

#include <string>
#include <string_view>

namespace qarion::secrets::runtime {

// Control characters become spaces, bytes that are not UTF-8 become `?`, and what is longer than
// 500 bytes ends in "...". `text` may be null; then, or where nothing is left, returns `fallback`.
std::string SafeText(const char* text, std::string_view fallback);

}  // namespace qarion::secrets::runtime
