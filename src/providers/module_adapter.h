// A SecretProvider behind the C interface of modules (provider_abi.h).
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/setting_lookup.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"
#include "qarion/secrets/provider_abi.h"

namespace qarion::secrets::module {

using core::SettingLookup;

// Makes the provider of a module. `clock` and `log` may be used until it goes, settings in this
// call alone.
using CreateFunction = Result<std::unique_ptr<SecretProvider>> (*)(
    const SettingLookup& lookup, Clock& clock, const std::function<void(std::string_view)>& log);

// The table of a module of that name. Defined once in each module, which has one backend:
//   const qarion_secrets_provider_table* qarion_secrets_provider() {
//     static const auto table = TableFor<CreateVaultProvider>("vault");
//     return &table;
//   }
// No exception leaves its functions.
template <CreateFunction kCreate>
qarion_secrets_provider_table TableFor(const char* name);

// What the functions of the table do.
int CreateInstance(CreateFunction create, const qarion_secrets_host* host,
                   const qarion_secrets_error_sink* error, void** instance) noexcept;
qarion_secrets_provider_table TableWithoutCreate(const char* name);

template <CreateFunction kCreate>
qarion_secrets_provider_table TableFor(const char* name) {
  qarion_secrets_provider_table table = TableWithoutCreate(name);
  table.create = [](const qarion_secrets_host* host, const qarion_secrets_error_sink* error,
                    void** instance) { return CreateInstance(kCreate, host, error, instance); };
  return table;
}

}  // namespace qarion::secrets::module
