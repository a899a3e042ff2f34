// What the settings of the backend `vault` say.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"
#include "providers/vault/address.h"
#include "providers/vault/auth_settings.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

struct RateLimit {
  double per_second = 0;
  int burst = 1;
};

struct VaultSettings {
  std::vector<Address> addresses;  // at least one
  std::string address_setting;     // that they are from, for messages
  std::string name_space;
  std::string path;          // of the secret: no slash at either end, none doubled
  std::int64_t version = 0;  // 0: the latest
  AuthSettings auth;
  net::TlsSettings tls;
  net::ProxySettings proxy;
  std::vector<net::HttpHeader> headers;
  std::chrono::nanoseconds timeout = std::chrono::seconds(60);
  int max_retries = 2;
  std::optional<RateLimit> rate_limit;
  bool looks_up_srv = false;
  bool follows_redirects = true;
  bool is_traced = false;
  std::vector<std::string> ignored;  // settings of the official client that mean nothing here

  // Every credential that stands in a setting.
  std::vector<Secret> Credentials() const;
  // See SecretProvider.
  std::string Source() const;
};

// Reads the settings of the official client with its names, precedence and strictness (HashiCorp
// api/client.go; the BAO_* name of each wins, even where it is empty), and this backend's own.
// kConfiguration: one is malformed, missing or contradicts another; it is named, and no credential
// is shown.
Result<VaultSettings> LoadVaultSettings(const SettingLookup& lookup);

}  // namespace qarion::secrets::vault
