// What everything stands on that gets tokens.
#pragma once

#include <chrono>

#include "core/held_secrets.h"
#include "core/random.h"
#include "gcp/client_settings.h"
#include "net/call.h"
#include "net/http.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp {

// Everything in it outlives what it is handed to.
struct SourceContext {
  const ClientSettings& settings;
  net::HttpClient& services;  // Google's, and others by https; through a proxy where one is set
  net::HttpClient& metadata;  // never through a proxy
  Clock& clock;
  core::Random& random;  // for several threads
  net::RetryBudget& budget;
  core::HeldSecrets& held;  // every key and token that is got on the way
};

// 408, 429, 500, 503 or 504: what Google's libraries take for a moment's failure.
bool IsBusy(const net::HttpResponse& response);

// Sends `request` until it brings an answer that will not pass, by `policy`. An attempt ends after
// half of the time that is left, but not within a second, so that a server that hangs leaves some
// for another; and after `longest_attempt`. Errors: see HttpClient::Send. Thread-safety: from
// several threads.
Result<net::HttpResponse> SendPatiently(
    net::HttpClient& client, const net::HttpRequest& request, const net::RetryPolicy& policy,
    const SourceContext& context, const net::Call& call,
    std::chrono::milliseconds longest_attempt = std::chrono::minutes(1));

}  // namespace qarion::secrets::gcp
