#include "net/server_text.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "core/utf8.h"

namespace qarion::secrets::net {
namespace {

bool IsWhite(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

void Hide(std::string_view secret, std::string& text) {
  constexpr std::size_t kShortest = 4;
  constexpr std::string_view kMask = "***";
  if (secret.size() < kShortest) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kMask.size())) {
    text.replace(at, secret.size(), kMask);
  }
}

}  // namespace

std::string OneLine(std::string_view text, std::span<const Secret> hidden, std::size_t longest) {
  std::vector<std::string_view> secrets;
  for (const Secret& secret : hidden) secrets.push_back(secret.Reveal());
  // The longest first: a part of one may be another.
  std::ranges::sort(secrets, std::ranges::greater(), &std::string_view::size);
  std::string masked(text);
  for (const std::string_view secret : secrets) Hide(secret, masked);

  std::string line;
  for (const char c : masked) {
    if (!IsWhite(c)) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
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
