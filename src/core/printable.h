// Text from elsewhere, made fit for a terminal and for logs.
#pragma once

#include <string>
#include <string_view>

namespace qarion::secrets::core {

// Whether UTF-8 begins with a control character of C1 (U+0080 to U+009F, of two bytes), which some
// terminals obey as well.
constexpr bool BeginsWithC1(std::string_view text) noexcept {
  return text.size() >= 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
}

// Control characters, line breaks among them, and those that turn the writing round become spaces,
// bytes that are not UTF-8 become `?`.
std::string Printable(std::string text);

}  // namespace qarion::secrets::core
