#include "net/server_text.h"

#include <algorithm>

#include "core/utf8.h"

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kShortestSecret = 4;
constexpr std::size_t kShortestPiece = 12;
// White space and what is hidden take no room in the line: without a limit a server could keep this
// busy.
constexpr std::size_t kMostRead = std::size_t{16} * 1024;

bool IsWhite(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

// How much the beginnings of both have in common.
std::size_t CommonSize(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// How much of the text's beginning nobody may see: the longest of the secrets, or of their pieces.
std::size_t HiddenSize(std::string_view text, std::span<const Secret> hidden) {
  std::size_t longest = 0;
  for (const Secret& secret : hidden) {
    const std::string_view value = secret.Reveal();
    if (value.size() >= kShortestSecret && text.starts_with(value)) {
      longest = std::max(longest, value.size());
    }
    for (std::size_t at = 0; at + kShortestPiece <= value.size(); ++at) {
      const std::size_t size = CommonSize(text, value.substr(at));
      if (size >= kShortestPiece) longest = std::max(longest, size);
    }
  }
  return longest;
}

}  // namespace

// In one pass: no copy is made of what is hidden.
std::string OneLine(std::string_view text, std::span<const Secret> hidden, std::size_t longest) {
  const bool is_whole = text.size() <= kMostRead;
  text = text.substr(0, kMostRead);
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
  const bool is_cut = line.size() > longest || !is_whole;
  if (is_cut) {
    line.resize(std::min(line.size(), longest));
    while (core::FindInvalidUtf8(line)) line.pop_back();
  }
  while (line.ends_with(' ')) line.pop_back();
  return is_cut ? line + "..." : line;
}

}  // namespace qarion::secrets::net
