// A backend behind the C interface, as the rest of the library sees it.
#pragma once

#include <memory>
#include <string>

#include "core/provider_factory.h"
#include "qarion/secrets/provider.h"
#include "qarion/secrets/provider_abi.h"

namespace qarion::secrets::runtime {

// Makes an instance of `table`, which was checked (see OpenModule) and is never unloaded.
// Exceptions that leave the module, unknown statuses and impossible fields become errors; texts
// from it are made safe (see SafeText). The module's own error; kInternal: it threw, or answered
// what its interface does not allow.
Result<std::unique_ptr<SecretProvider>> CreateModuleProvider(
    const qarion_secrets_provider_table& table, const core::ProviderContext& context);

}  // namespace qarion::secrets::runtime
