// How to log in, as the settings say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/session.h"
#include "gcp/session.h"
#include "providers/vault/credential.h"
#include "providers/vault/setting_reader.h"

namespace qarion::secrets::vault {

enum class AuthMethod { kToken, kAppRole, kKubernetes, kJwt, kUserpass, kLdap, kCert, kAws, kGcp };

std::string_view ToString(AuthMethod method) noexcept;

// What the server is shown in a login by a Google Cloud identity: claims that a service account
// signed, or Google in its name; or what the metadata server says of the machine.
enum class GcpLoginType { kIam, kGce };

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
  // Of the login by a Google Cloud identity: where that is from, and the e-mail address or unique
  // id of the service account to log in as, or empty: the identity's own.
  std::optional<gcp::SessionSettings> gcp;
  GcpLoginType gcp_type = GcpLoginType::kIam;
  std::string gcp_service_account;
};

// Finds out the method from the settings and reads what it needs. `has_certificate`: a client
// certificate is set. Errors go to `reader`.
AuthSettings ReadAuthSettings(SettingReader& reader, bool has_certificate);

}  // namespace qarion::secrets::vault
