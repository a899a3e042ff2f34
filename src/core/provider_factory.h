// How a compiled-in backend is found by its name.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "core/settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::core {

// What a provider is built from; `settings` outlives the provider.
struct ProviderContext {
  const Settings& settings;
  const Clock& clock;
  std::function<void(std::string_view line)> log;  // never empty
};

struct ProviderFactory {
  std::string_view name;
  Result<std::unique_ptr<SecretProvider>> (*create)(const ProviderContext& context);
};

// The backends inside this library; defined in src/providers/compiled_in.cc. All others are
// modules.
std::span<const ProviderFactory> CompiledInProviders() noexcept;

}  // namespace qarion::secrets::core
