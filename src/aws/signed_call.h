// Calls in somebody's name.
#pragma once

#include "aws/credential_cache.h"
#include "aws/credentials.h"
#include "aws/service_answer.h"
#include "aws/service_client.h"
#include "net/call.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// Sends `request` signed with the credentials of `cache`, and once more with new ones where the
// service does not accept these. `used` becomes those it was last sent with.
//
// Errors: those of the cache and of ServiceClient::Send; kNotPermitted where the service says that
// the credentials have ended; kUnavailable where these are used on for want of others.
// Thread-safety: from several threads.
Result<ServiceAnswer> SendSigned(ServiceRequest request, CredentialCache& cache,
                                 ServiceClient& services, const net::Call& call, Credentials& used);

}  // namespace qarion::secrets::aws
