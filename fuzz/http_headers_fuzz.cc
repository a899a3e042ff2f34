// Any bytes as the header lines of an answer.
#include <cstdint>
#include <string_view>

#include "net/header_reader.h"
#include "require.h"

namespace net = qarion::secrets::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 512;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  net::HeaderReader reader(kMost);
  std::size_t taken = 0;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n') + 1);
    const std::string_view piece = line.empty() ? rest : line;
    const bool fits = taken + piece.size() <= kMost;
    Require(reader.Take(piece) == fits);
    if (!fits) break;
    taken += piece.size();
    rest.remove_prefix(piece.size());
  }
  std::size_t kept = 0;
  for (const net::HttpHeader& header : std::move(reader).Release()) {
    const std::string_view value = header.value.Reveal();
    Require(header.name.find(':') == std::string::npos);
    Require(value.find('\n') == std::string_view::npos);
    Require(value.empty() || (value.front() != ' ' && value.back() != ' '));
    for (const char c : header.name) Require(c < 'A' || c > 'Z');
    kept += header.name.size() + value.size();
  }
  Require(kept <= taken);
  return 0;
}
