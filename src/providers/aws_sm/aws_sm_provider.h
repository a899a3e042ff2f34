// The backend `aws_sm`: AWS Secrets Manager.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/setting_lookup.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::aws_sm {

// Reads the settings; asks nobody yet. Errors: see LoadAwsSmSettings. `clock` and `log` are used
// until the provider goes, `log` from any thread.
Result<std::unique_ptr<SecretProvider>> CreateAwsSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log);

}  // namespace qarion::secrets::aws_sm
