// What the scrubber of a runtime masks that reads by a given provider.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "qarion/secrets/provider.h"
#include "qarion/secrets/runtime.h"

namespace qarion::secrets::test {

// After the first fetch; or why that failed.
inline std::string ScrubbedAfterFetch(std::unique_ptr<SecretProvider> provider,
                                      std::string_view text) {
  const auto runtime = Runtime::Create(
      {.settings = {{"SECRETS_ENV_FILE", "/dev/null"}}, .provider = std::move(provider)});
  return runtime ? runtime->scrubber().Scrub(text) : runtime.error().reason();
}

}  // namespace qarion::secrets::test
