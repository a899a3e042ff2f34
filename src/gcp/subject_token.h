// The tokens of other identity providers, which Google exchanges for its own (AIP-4117).
#pragma once

#include "gcp/credential_file.h"
#include "gcp/source_context.h"
#include "net/call.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// Asks the source of `account` for one, anew each time: reads its file, asks its URL, runs its
// program or signs a request for AWS's STS.
//
// Errors name the member of the file with credentials or the setting, show nothing of a token or
// key, and what they say of a server's answer has none of what was sent. kConfiguration: there is
// no such file, or it is empty; the program may not be run, for want of
// GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1; the other provider refuses. kNotPermitted: so the
// program says. kBadData: what came has not the form that it should have. kUnavailable: nobody
// answers, a program failed or was slow.
// Thread-safety: from several threads.
Result<Secret> GetSubjectToken(const ExternalAccount& account, const SourceContext& context,
                               const net::Call& call);

}  // namespace qarion::secrets::gcp
