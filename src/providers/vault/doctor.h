// Examines step by step whether the secret can be read, and what is in the way.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "providers/vault/api.h"
#include "providers/vault/kv.h"
#include "providers/vault/session.h"
#include "providers/vault/vault_settings.h"
#include "qarion/secrets/finding.h"

namespace qarion::secrets::vault {

struct Diagnosis {
  std::vector<Finding> findings;
  // The state of each server that answered: its address, and "active, version 2.7.2".
  std::vector<std::pair<std::string, std::string>> servers;
};

// Asks every address for its health, logs in, looks the token up, and asks what it may do. Stops
// where a step fails that the next ones need. A token that may be used a few times only is looked
// up and spared the rest.
Diagnosis Examine(const VaultSettings& settings, Api& api, Session& session, const Clock& clock,
                  const Call& call);

}  // namespace qarion::secrets::vault
