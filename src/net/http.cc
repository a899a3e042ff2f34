#include "net/http.h"

#include <algorithm>

namespace qarion::secrets::net {

std::optional<std::string_view> HttpResponse::Find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(headers, name, &HttpHeader::name);
  if (found == headers.end()) return std::nullopt;
  return found->value.Reveal();
}

}  // namespace qarion::secrets::net
