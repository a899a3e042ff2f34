#include "providers/aws_sm/aws_sm_provider.h"

#include "providers/aws_sm/aws_sm_settings.h"
#include "providers/aws_sm/client.h"
#include "providers/client_provider.h"

namespace qarion::secrets::aws_sm {

Result<std::unique_ptr<SecretProvider>> CreateAwsSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log) {
  return MakeProvider<Client>(LoadAwsSmSettings(lookup), clock, log);
}

}  // namespace qarion::secrets::aws_sm
