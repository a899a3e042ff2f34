#include "net/server_text.h"

#include <algorithm>

#include "core/utf8.h"

namespace qarion::secrets::net {
namespace {

bool IsWhite(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

// How much of the text's beginning nobody may see: the longest that it begins with.
std::size_t HiddenSize(std::string_view text, std::span<const Secret> hidden) {
  constexpr std::size_t kShortest = 4;
  std::size_t size = 0;
  for (const Secret& secret : hidden) {
    if (secret.size() >= kShortest && text.starts_with(secret.Reveal())) {
      size = std::max(size, secret.size());
    }
  }
  return size;
}

}  // namespace

// In one pass: no copy is made of what is hidden.
std::string OneLine(std::string_view text, std::span<const Secret> hidden, std::size_t longest) {
  std::string line;
  std::size_t hidden_left = 0;  // of a secret, or of several that overlap
  for (; !text.empty() && line.size() <= longest; text.remove_prefix(1)) {
    const std::size_t size = HiddenSize(text, hidden);
    if (size != 0 && hidden_left == 0) line += "***";
    hidden_left = std::max(hidden_left, size);
    if (hidden_left != 0) {
      --hidden_left;
    } else if (!IsWhite(text.front())) {
      line += text.front();
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  const bool is_cut = line.size() > longest;
  if (is_cut) {
    line.resize(longest);
    while (core::FindInvalidUtf8(line)) line.pop_back();
  }
  while (line.ends_with(' ')) line.pop_back();
  return is_cut ? line + "..." : line;
}

}  // namespace qarion::secrets::net
