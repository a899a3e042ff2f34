#include "providers/vault/address.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/wrong_setting.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kLongestSocketPath = 107;  // sun_path, unix(7)
constexpr std::string_view kUnixScheme = "unix://";

std::optional<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnixScheme)) {
    const std::string_view path = text.substr(kUnixScheme.size());
    const bool is_path =
        path.size() > 1 && path.front() == '/' && path.size() <= kLongestSocketPath &&
        std::none_of(path.begin(), path.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (!is_path) return std::nullopt;
    return Address{
        .url = "http://localhost", .unix_socket = std::string(path), .shown = std::string(text)};
  }
  const auto url = net::ParseUrl(text);
  if (!url || !url->query.empty() || url->port == "0") return std::nullopt;
  std::string path = url->path;
  while (path.ends_with('/')) path.pop_back();
  return Address{.url = url->Origin() + path, .shown = std::string(text)};
}

}  // namespace

Result<std::vector<Address>> ParseAddresses(std::string_view text, const std::string& setting) {
  std::vector<Address> addresses;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    auto address = ParseAddress(core::Trimmed(text.substr(0, comma), " \t"));
    const std::string which = "address " + std::to_string(addresses.size() + 1);
    if (!address) {
      return core::Wrong(setting, "has no usable address as " + which,
                         "write https://host:port, or unix:///path of a socket, without user, "
                         "password or query; several with commas between them");
    }
    if (address->url.ends_with("/v1")) {
      return core::Wrong(setting, "ends in /v1 as " + which + ", which is a part of the API's URLs",
                         "write the address without it");
    }
    if (std::ranges::find(addresses, address->url + address->unix_socket, [](const Address& a) {
          return a.url + a.unix_socket;
        }) != addresses.end()) {
      return core::Wrong(setting, "names the same server twice, the second time as " + which,
                         "name each server once");
    }
    if (addresses.size() == kMostAddresses) {
      return core::Wrong(setting, "has more than " + std::to_string(kMostAddresses) + " addresses",
                         "name fewer, or one that stands for all of them");
    }
    addresses.push_back(std::move(*address));
    if (more) text.remove_prefix(comma + 1);
  }
  return addresses;
}

}  // namespace qarion::secrets::vault
