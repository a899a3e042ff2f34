// Tokens that tell others than Google who one is: JSON Web Tokens that they verify with keys which
// Google publishes.
#pragma once

#include <string>
#include <string_view>

#include "gcp/session.h"
#include "net/call.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// Asks IAM to sign claims in the name of the service account `email` (signJwt), with a key of the
// account's that only Google has. `claims`: see ClaimsText.
ApiRequest SigningRequest(std::string_view email, const std::string& universe,
                          const Secret& claims);

// The same asked and answered. Whoever the session is needs the permission
// iam.serviceAccounts.signJwt on the account, also on itself. Up to 3 attempts, as for tokens.
//
// Errors: those of Session::Send and ErrorOf. kBadData: there is no token in the answer, or one
// that cannot be sent. Thread-safe.
Result<Secret> SignByGoogle(Session& session, std::string_view email, const Secret& claims,
                            const net::Call& call);

// Where below /computeMetadata/v1/ the metadata server has the identity token of one of the
// machine's service accounts, "default" or an e-mail address. With "format=full" it says, too,
// which instance of Compute Engine the machine is.
std::string IdentityPath(std::string_view account, std::string_view audience);

// The same asked. Errors: see MetadataServer::Get. kBadData: what comes cannot be sent.
// Thread-safe.
Result<Secret> MachineIdentity(Session& session, std::string_view account,
                               std::string_view audience, const net::Call& call);

}  // namespace qarion::secrets::gcp
