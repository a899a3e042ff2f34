// Opens a backend that is a module of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/provider_factory.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::runtime {

struct ModuleOptions {
  std::string directory;

  // Whether the module is loaded and an instance is made in a child process first, so that one that
  // crashes or hangs is an error and not the end of the service. Not needed for modules that are
  // built and tested with this library.
  bool is_probed = true;
  std::chrono::milliseconds probe_timeout = std::chrono::seconds(5);
};

// Loads the module of `backend`, a name that IsBackendName() accepts, and makes an instance. The
// module stays loaded for good.
// kConfiguration: missing, not to be trusted (see FindTrustedModule), not loadable, made for
// another interface, or it crashes. Else the module's own error.
Result<std::unique_ptr<SecretProvider>> OpenModule(const std::string& backend,
                                                   const ModuleOptions& options,
                                                   const core::ProviderContext& context);

}  // namespace qarion::secrets::runtime
