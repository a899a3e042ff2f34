// How to log in, as the settings say it.
#pragma once

#include <string>
#include <string_view>

#include "providers/vault/credential.h"
#include "providers/vault/setting_reader.h"

namespace qarion::secrets::vault {

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

// Finds out the method from the settings and reads what it needs. `has_certificate`: a client
// certificate is set. Errors go to `reader`.
AuthSettings ReadAuthSettings(SettingReader& reader, bool has_certificate);

}  // namespace qarion::secrets::vault
