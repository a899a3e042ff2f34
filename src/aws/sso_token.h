// The token of a person's login by SSO, in the file where every AWS client looks for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/variables.h"
#include "core/json_document.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

struct SsoToken {
  Secret access_token;
  std::chrono::system_clock::time_point expires_at;
  // What a new one is asked for with. Without one of these there is none to be had; tokens of
  // logins by start URL have none of them.
  Secret refresh_token;
  std::string client_id;
  Secret client_secret;
  std::string registration_expires_at;  // as it stands in the file

  SsoToken Share() const;
};

// ~/.aws/sso/cache/<SHA-1 of `key`>.json: the key is the name of the session, or the start URL
// where there is none. kConfiguration: there is no home directory.
Result<std::string> SsoTokenPath(const Variables& variables, std::string_view key);

// kConfiguration: there is no such file, or it may not be read. kBadData: it is no token.
Result<SsoToken> ReadSsoToken(const std::string& path);

// The same from the file's text.
Result<SsoToken> ParseSsoToken(std::string_view text, const std::string& path);

// Replaces the file at once, with the members that botocore writes, mode 0600 and the owner it had:
// whoever reads at the same time sees the old one or the new one. kIo.
Status WriteSsoToken(const std::string& path, const SsoToken& token, std::string_view start_url,
                     std::string_view region);

// What makes a new token of the old one, as sso-oidc:CreateToken takes it.
Secret RefreshRequest(const SsoToken& old);

// The token in the answer to that. kBadData: there is none.
Result<SsoToken> RefreshedToken(const core::JsonValue& answer, const SsoToken& old,
                                std::chrono::system_clock::time_point now);

// From the member `roleCredentials` of the answer to sso:GetRoleCredentials.
// kBadData: something is missing or malformed.
Result<Credentials> RoleCredentials(const core::JsonValue& role);

// Times as they stand in these files: RFC 3339, or with UTC at the end, as old clients wrote them.
std::optional<std::chrono::system_clock::time_point> ParseSsoTime(std::string_view text);

}  // namespace qarion::secrets::aws
