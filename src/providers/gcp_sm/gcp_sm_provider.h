// The backend `gcp_sm`: Google Cloud Secret Manager.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/setting_lookup.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::gcp_sm {

// Reads the settings; asks nobody yet. Errors: see LoadGcpSmSettings. `clock` and `log` are used
// until the provider goes, `log` from any thread.
Result<std::unique_ptr<SecretProvider>> CreateGcpSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log);

}  // namespace qarion::secrets::gcp_sm
