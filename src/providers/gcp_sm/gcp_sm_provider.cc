#include "providers/gcp_sm/gcp_sm_provider.h"

#include "providers/client_provider.h"
#include "providers/gcp_sm/client.h"
#include "providers/gcp_sm/gcp_sm_settings.h"

namespace qarion::secrets::gcp_sm {

Result<std::unique_ptr<SecretProvider>> CreateGcpSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log) {
  return MakeProvider<Client>(LoadGcpSmSettings(lookup), clock, log);
}

}  // namespace qarion::secrets::gcp_sm
