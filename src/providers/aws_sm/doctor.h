// Examines step by step whether the secret can be read, and what is in the way.
#pragma once

#include "net/call.h"
#include "providers/aws_sm/aws_sm_settings.h"
#include "providers/aws_sm/client.h"
#include "providers/examiner_base.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::aws_sm {

// Looks for credentials, asks who they are and what the secret is. Stops where a step fails that
// the next ones need. Does not read the value.
Diagnosis Examine(const AwsSmSettings& settings, Client& client, const Clock& clock,
                  const net::Call& call);

}  // namespace qarion::secrets::aws_sm
