// What everything stands on that gets tokens.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string_view>

#include "core/random.h"
#include "gcp/client_settings.h"
#include "net/call.h"
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

// When an attempt is given up, so that a server that hangs leaves time for another: after half of
// what is left, but not within a second.
inline Clock::SteadyTime AttemptEnd(const net::Call& call, const Clock& clock) {
  const auto now = clock.SteadyNow();
  const auto half =
      std::max<std::chrono::nanoseconds>((call.deadline - now) / 2, std::chrono::seconds(1));
  return std::min(call.deadline, now + half);
}

}  // namespace qarion::secrets::gcp
