// The backend `vault`: HashiCorp Vault or OpenBao, KV engine version 2.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "providers/vault/vault_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::vault {

// Reads the settings; asks no server yet. Errors: see LoadVaultSettings. `clock` and `log` are used
// until the provider goes, `log` from any thread.
Result<std::unique_ptr<SecretProvider>> CreateVaultProvider(
    const SettingLookup& lookup, Clock& clock, const std::function<void(std::string_view)>& log);

}  // namespace qarion::secrets::vault
