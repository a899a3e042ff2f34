// Examines step by step whether the secret can be read, and what is in the way.
#pragma once

#include "net/call.h"
#include "providers/examiner_base.h"
#include "providers/gcp_sm/client.h"
#include "providers/gcp_sm/gcp_sm_settings.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::gcp_sm {

// Looks for credentials, project and the state of the version. Stops where a step fails that the
// next ones need. Does not read the value.
Diagnosis Examine(const GcpSmSettings& settings, Client& client, const Clock& clock,
                  const net::Call& call);

}  // namespace qarion::secrets::gcp_sm
