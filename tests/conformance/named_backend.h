// Stores whose providers are opened by the name of a backend, as a service does.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/environment.h"
#include "core/provider_factory.h"
#include "core/settings.h"
#include "provider_conformance.h"
#include "runtime/provider_registry.h"

namespace qarion::secrets::conformance {

class NamedBackend : public Backend {
 protected:
  Result<std::unique_ptr<SecretProvider>> OpenNamed(std::string_view backend,
                                                    std::map<std::string, std::string> options) {
    auto settings = core::Settings::Load(environment_, std::move(options));
    if (!settings) return std::move(settings).error();
    // Settings outlive the providers that were made with them.
    settings_.push_back(std::make_unique<core::Settings>(std::move(*settings)));
    return runtime::OpenProvider(
        backend, {.settings = *settings_.back(), .clock = *clock_, .log = [](std::string_view) {}});
  }

 private:
  core::MapEnvironment environment_;
  std::shared_ptr<Clock> clock_ = Clock::System();
  std::vector<std::unique_ptr<core::Settings>> settings_;
};

}  // namespace qarion::secrets::conformance
