// How to log in, as the settings say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/session.h"
#include "providers/vault/credential.h"
#include "providers/vault/setting_reader.h"

namespace qarion::secrets::vault {

enum class AuthMethod { kToken, kAppRole, kKubernetes, kJwt, kUserpass, kLdap, kCert, kAws };

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
  // Of the login by an AWS identity: where that is from, the server's own name for itself, which is
  // signed too, and the region of the STS that the server asks, or empty.
  std::optional<aws::SessionSettings> aws;
  std::string aws_server_id;
  std::string aws_sts_region;
};

// Finds out the method from the settings and reads what it needs. `has_certificate`: a client
// certificate is set. Errors go to `reader`.
AuthSettings ReadAuthSettings(SettingReader& reader, bool has_certificate);

}  // namespace qarion::secrets::vault
