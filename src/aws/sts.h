// The Security Token Service (API version 2011-06-15, query protocol).
#pragma once

#include <optional>
#include <string>

#include "aws/client_settings.h"
#include "aws/credential_cache.h"
#include "aws/credentials.h"
#include "aws/service_client.h"
#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

struct AssumeRoleInput {
  std::string role_arn;
  std::string session_name;  // who acts, for the account's logs (CloudTrail)
  std::string external_id;   // or empty
  std::optional<int> duration_seconds;
  std::string setting;  // that names the role, with its file, for errors
};

// kConfiguration: it has not the form of a role's ARN.
Status CheckRoleArn(const Sourced& role_arn);

// A name for sessions where nothing configures one: "qarion-secrets-1767225600".
std::string MakeSessionName(const Clock& clock);

// Errors of all: see ServiceClient::Send, ErrorOf and NotOfTheService, with the action and the role
// named; kBadData where an answer of STS lacks something. Results' `origin` is left empty.

// Signed by `source`, which is asked for others once where STS refuses what it gave. Its own errors
// come through as they are.
Result<Credentials> AssumeRole(ServiceClient& services, const AssumeRoleInput& input,
                               CredentialCache& source, const net::Call& call);

// Not signed: the token of an identity provider is the proof.
Result<Credentials> AssumeRoleWithWebIdentity(ServiceClient& services, const AssumeRoleInput& input,
                                              const Secret& web_identity_token,
                                              const net::Call& call);

struct CallerIdentity {
  std::string account;
  std::string arn;
  std::string user_id;
};

Result<CallerIdentity> GetCallerIdentity(ServiceClient& services, CredentialCache& source,
                                         const net::Call& call);

}  // namespace qarion::secrets::aws
