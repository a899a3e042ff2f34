// What everything stands on that gets tokens.
#pragma once

#include <functional>
#include <string_view>

#include "core/random.h"
#include "gcp/client_settings.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::gcp {

// Everything in it outlives what it is handed to.
struct SourceContext {
  const ClientSettings& settings;
  net::HttpClient& services;  // Google's, and others by https; through a proxy where one is set
  net::HttpClient& metadata;  // never through a proxy
  Clock& clock;
  core::Random& random;
  net::RetryBudget& budget;
  std::function<void(std::string_view)> log;  // never empty
};

}  // namespace qarion::secrets::gcp
