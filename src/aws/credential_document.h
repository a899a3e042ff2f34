// Credentials as programs and servers hand them out, and what every source has to look at before a
// key is used.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "core/json_document.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// A key id, secret key or token as it was found.
struct KeyPart {
  std::string_view text;
  std::string
      where;  // for errors: "AWS_SECRET_ACCESS_KEY", "SecretAccessKey of credential_process"
};

// kConfiguration: the key id or the secret key is empty, or something has a character that no key
// has, such as a blank or a line break: it would break the request, or the line it is sent in.
Result<crypto::SigningCredentials> KeysFrom(const KeyPart& access_key_id,
                                            const KeyPart& secret_access_key,
                                            const KeyPart& session_token);

// How a document differs from its kin.
struct DocumentShape {
  std::string_view token_name;  // "SessionToken", "Token"
  bool needs_token = false;
  bool needs_expiration = false;
};
// That of containers and of instances.
inline constexpr DocumentShape kMetadataDocument{
    .token_name = "Token", .needs_token = true, .needs_expiration = true};

// Reads AccessKeyId, SecretAccessKey, the token, Expiration (RFC 3339; maybe past) and AccountId of
// the outermost object. Members that are null or empty count as missing. `from` is named in errors,
// and becomes the origin: "credential_process of the profile dev". kBadData: something is missing
// or malformed.
Result<Credentials> CredentialsFromJson(const core::JsonDocument& document,
                                        const DocumentShape& shape, const std::string& from);

// Why a document has no credentials in it.
struct Refusal {
  std::string code;  // "AssumeRoleUnauthorizedAccess"; empty: it does not refuse anything
  std::string text;  // the code and what is said of it
};
// By `Code`, where that is not "Success", and `Message`, or the same in lower case. `hidden`: what
// it may quote and nobody may see.
Refusal RefusalIn(const core::JsonDocument& document, std::span<const Secret> hidden);

}  // namespace qarion::secrets::aws
