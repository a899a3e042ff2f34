// Any bytes as VAULT_ADDR and as other settings that are parsed.
#include <cstdint>
#include <string>
#include <string_view>

#include "net/url.h"
#include "providers/vault/address.h"
#include "providers/vault/vault_settings.h"
#include "require.h"

namespace vault = qarion::secrets::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto addresses = vault::ParseAddresses(text, "VAULT_ADDR")) {
    Require(!addresses->empty() && addresses->size() <= 16);
    for (const vault::Address& address : *addresses) {
      const auto url = qarion::secrets::net::ParseUrl(address.url);
      Require(url.has_value() && !address.url.ends_with('/'));
      // What was read once is read again, to the same.
      if (!address.unix_socket.empty()) continue;
      auto again = vault::ParseAddresses(address.url, "VAULT_ADDR");
      Require(again && again->front().url == address.url);
    }
  }
  for (const std::string setting :
       {"VAULT_SECRET_PATH", "VAULT_HEADERS", "VAULT_RATE_LIMIT", "VAULT_CLIENT_TIMEOUT",
        "VAULT_SECRET_VERSION", "VAULT_AUTH_METHOD", "VAULT_AUTH_MOUNT"}) {
    const auto lookup = [&](const std::string& name) -> std::optional<std::string_view> {
      if (name == "VAULT_TOKEN") return "fake";
      return name == setting ? std::optional(text) : std::nullopt;
    };
    auto settings = vault::LoadVaultSettings(lookup);
    if (!settings) Require(!settings.error().cure().empty());
    if (settings) {
      Require(settings->path.find("//") == std::string::npos && !settings->path.starts_with('/'));
    }
  }
  return 0;
}
