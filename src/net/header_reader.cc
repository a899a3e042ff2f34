#include "net/header_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/ascii.h"

namespace qarion::secrets::net {

bool HeaderReader::Take(std::string_view line) {
  if (line.size() > left_) return false;
  left_ -= line.size();
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    is_complete_ = false;
    return true;
  }
  if (line == "\r\n" || line == "\n") is_complete_ = true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), core::AsciiLower);
  headers_.push_back({std::move(name), Secret::CopyOf(core::Trimmed(line.substr(colon + 1)))});
  return true;
}

}  // namespace qarion::secrets::net
