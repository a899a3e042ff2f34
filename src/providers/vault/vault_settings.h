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
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

// The value of a setting, if it is set.
using SettingLookup = std::function<std::optional<std::string_view>(const std::string& name)>;

// A secret that a login needs: given in a setting, or in a file that is read at each login.
struct Credential {
  std::string setting;  // that holds it or names the file; empty: there is none
  Secret text;
  std::string file;

  bool exists() const noexcept { return !setting.empty(); }
  // A token or identifier, without white space around it. kConfiguration: the file does not exist
  // or may not be read, or nothing is in it. kBadData: longer than 64 KiB or not printable ASCII.
  Result<Secret> ReadToken() const;

  // A password: any UTF-8, of a file without the newline at its end. Errors as above.
  Result<Secret> ReadPassword() const;

 private:
  Result<Secret> ReadBytes() const;
  Error Unusable(ErrorCode code, const std::string& problem) const;
};

enum class AuthMethod { kToken, kAppRole, kKubernetes, kJwt, kUserpass, kLdap, kCert };

std::string_view ToString(AuthMethod method) noexcept;

struct AuthSettings {
  AuthMethod method = AuthMethod::kToken;
  std::string mount;  // below auth/; as the method is called where VAULT_AUTH_MOUNT says nothing
  std::string role;   // or empty
  std::string username;
  Credential token;
  Credential role_id;
  Credential secret_id;
  Credential jwt;
  Credential password;
  // Where the wrapping token that the secret id is must have been made, or empty: it is no wrapping
  // token.
  std::string secret_id_creation_path;
};

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
};

// Reads the settings of the official client with its names, precedence and strictness (HashiCorp
// api/client.go; the BAO_* name of each wins, even where it is empty), and this backend's own.
// kConfiguration: one is malformed, missing or contradicts another; it is named, and no credential
// is shown.
Result<VaultSettings> LoadVaultSettings(const SettingLookup& lookup);

}  // namespace qarion::secrets::vault
