// Lists for people.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace qarion::secrets::core {

// The texts, with the separator between each two.
inline std::string Join(std::span<const std::string> texts, std::string_view separator = ", ") {
  std::string joined;
  for (const std::string& text : texts) {
    if (&text != texts.data()) joined += separator;
    joined += text;
  }
  return joined;
}

}  // namespace qarion::secrets::core
