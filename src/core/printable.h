// Text from elsewhere, made fit for a terminal and for logs.
#pragma once

#include <string>

namespace qarion::secrets::core {

// Control characters, line breaks among them, and those that turn the writing round become spaces,
// bytes that are not UTF-8 become `?`.
std::string Printable(std::string text);

}  // namespace qarion::secrets::core
