#include "net/server_text.h"

#include <algorithm>

#include "core/utf8.h"

namespace qarion::secrets::net {
namespace {

bool IsWhite(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

// What text begins with and nobody may see: the longest, as a part of one may be another. Empty:
// none does.
std::string_view HiddenAt(std::string_view text, std::span<const Secret> hidden) {
  constexpr std::size_t kShortest = 4;
  std::string_view found;
  for (const Secret& secret : hidden) {
    const std::string_view value = secret.Reveal();
    if (value.size() >= kShortest && value.size() > found.size() && text.starts_with(value)) {
      found = value;
    }
  }
  return found;
}

}  // namespace

// In one pass: no copy is made of what is hidden.
std::string OneLine(std::string_view text, std::span<const Secret> hidden, std::size_t longest) {
  std::string line;
  while (!text.empty() && line.size() <= longest) {
    const std::string_view secret = HiddenAt(text, hidden);
    if (!secret.empty()) {
      line += "***";
    } else if (!IsWhite(text.front())) {
      line += text.front();
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    text.remove_prefix(std::max<std::size_t>(secret.size(), 1));
  }
  while (line.ends_with(' ')) line.pop_back();
  if (line.size() > longest) {
    line.resize(longest);
    while (core::FindInvalidUtf8(line)) line.pop_back();
    line += "...";
  }
  return line;
}

}  // namespace qarion::secrets::net
