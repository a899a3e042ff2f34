// Examines step by step whether the secret can be read, and what is in the way.
#pragma once

#include "providers/examiner_base.h"
#include "providers/vault/api.h"
#include "providers/vault/kv.h"
#include "providers/vault/session.h"
#include "providers/vault/vault_settings.h"

namespace qarion::secrets::vault {

// Asks every address for its health, logs in, looks the token up, and asks what it may do. Stops
// where a step fails that the next ones need. A token that may be used a few times only is looked
// up and spared the rest. The details are the state of each server that answered: its address, and
// "active, version 2.7.2".
Diagnosis Examine(const VaultSettings& settings, Api& api, Session& session, const Clock& clock,
                  const Call& call);

}  // namespace qarion::secrets::vault
