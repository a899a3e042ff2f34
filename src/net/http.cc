#include "net/http.h"

#include <algorithm>

#include "core/ascii.h"

namespace qarion::secrets::net {
namespace {

bool IsTokenByte(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return core::IsLetterOrDigit(c) || kMarks.find(c) != std::string_view::npos;
}

}  // namespace

std::optional<std::string_view> HttpResponse::Find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(headers, name, &HttpHeader::name);
  if (found == headers.end()) return std::nullopt;
  return found->value.Reveal();
}

bool IsHeaderName(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, IsTokenByte);
}

bool IsHeaderValue(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace qarion::secrets::net
