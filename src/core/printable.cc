#include "core/printable.h"

#include <string_view>

#include "core/ascii.h"
#include "core/utf8.h"

namespace qarion::secrets::core {
namespace {

void ReplaceInvalidUtf8(std::string& text) {
  std::size_t checked = 0;
  while (const auto invalid = FindInvalidUtf8(std::string_view(text).substr(checked))) {
    checked += *invalid;
    text[checked++] = '?';
  }
}

// U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069: they end lines or turn the writing round,
// so that a terminal shows another text than there is.
bool IsHidden(std::string_view three) {
  const auto last = static_cast<unsigned char>(three[2]);
  if (three.starts_with("\xe2\x80")) {
    return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
  }
  return three.starts_with("\xe2\x81") && last >= 0xa6 && last <= 0xa9;
}

void ReplaceControls(std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 2 < text.size() && IsHidden(std::string_view(text).substr(i, 3))) {
      text.replace(i, 3, " ");
    }
    if (IsControl(text[i])) text[i] = ' ';
    if (BeginsWithC1(std::string_view(text).substr(i))) text.replace(i, 2, " ");
  }
}

}  // namespace

std::string Printable(std::string text) {
  ReplaceInvalidUtf8(text);
  ReplaceControls(text);
  return text;
}

}  // namespace qarion::secrets::core
