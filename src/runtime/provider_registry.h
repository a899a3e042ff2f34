// Finds the backend that SECRETS_BACKEND names.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/provider_factory.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::runtime {

// Opens the backend inside this library, or else its module from the directory of modules. Nothing
// else is loaded.
// kConfiguration: no such backend (the error lists those there are), or its module cannot be used
// (see OpenModule). Else the backend's own error.
Result<std::unique_ptr<SecretProvider>> OpenProvider(std::string_view name,
                                                     const core::ProviderContext& context);

}  // namespace qarion::secrets::runtime
