// The Security Token Service (API version 2011-06-15, query protocol).
#pragma once

#include <optional>
#include <string>

#include "aws/credentials.h"
#include "aws/service_client.h"
#include "net/call.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

struct AssumeRoleInput {
  std::string role_arn;
  std::string session_name;  // empty: one is made up
  std::string external_id;   // or empty
  std::optional<int> duration_seconds;
};

// Errors of all: see ServiceClient::Send and ErrorOf, with the action and the role named.
// Result's `origin` is left empty.
Result<Credentials> AssumeRole(ServiceClient& services, const AssumeRoleInput& input,
                               const Credentials& source, const net::Call& call);

Result<Credentials> AssumeRoleWithWebIdentity(ServiceClient& services, const AssumeRoleInput& input,
                                              const Secret& web_identity_token,
                                              const net::Call& call);

struct CallerIdentity {
  std::string account;
  std::string arn;
  std::string user_id;
};

Result<CallerIdentity> GetCallerIdentity(ServiceClient& services, const Credentials& credentials,
                                         const net::Call& call);

}  // namespace qarion::secrets::aws
