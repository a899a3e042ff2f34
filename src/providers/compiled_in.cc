#include <array>

#include "core/provider_factory.h"
#include "providers/env/env_provider.h"

namespace qarion::secrets::core {
namespace {

constexpr std::array kProviders = {ProviderFactory{"env", env::CreateEnvProvider}};

}  // namespace

std::span<const ProviderFactory> CompiledInProviders() noexcept { return kProviders; }

}  // namespace qarion::secrets::core
