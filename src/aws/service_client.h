// Calls of AWS services: signed, retried, with the clock corrected.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client_settings.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/service_answer.h"
#include "aws/service_clock.h"
#include "net/call.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

struct ServiceRequest {
  Service service = Service::kSts;
  std::string method = "POST";
  std::string path = "/";  // below the endpoint, encoded
  std::string query;       // encoded, without the question mark; or empty
  std::vector<net::HttpHeader> headers;
  Secret body;
  // Who signs; null: nobody. Valid during the call.
  const Credentials* signer = nullptr;
  // The region to ask in; empty: that of the client.
  std::string region;
  // Further error codes that are worth another try; valid for ever.
  std::vector<std::string_view> retryable_codes;
  // What an answer may quote and nobody may see, beside the signer's key and token.
  std::vector<Secret> hidden;
};

// Thread-safety: every member from several threads.
class ServiceClient {
 public:
  using Log = std::function<void(std::string_view)>;

  // `settings` and `clock` outlive it. `region`: where no request says another. `log` receives
  // notices, such as that of a corrected clock; `trace` a line for each exchange, may be empty.
  ServiceClient(const ClientSettings& settings, std::string region, Clock& clock, Log log,
                const Log& trace);
  ServiceClient(const ServiceClient&) = delete;
  ServiceClient& operator=(const ServiceClient&) = delete;

  // An answer of any status. Errors: none came (kUnavailable); the endpoint cannot be used or is
  // not to be trusted (kConfiguration); it is not HTTP or too long (kBadData).
  Result<ServiceAnswer> Send(const ServiceRequest& request, const net::Call& call);

  const std::string& region() const noexcept { return region_; }
  ServiceClock& clock() noexcept { return clock_; }
  const ServiceClock& clock() const noexcept { return clock_; }

 private:
  struct Target;

  Result<net::HttpRequest> Compose(const ServiceRequest& request, const Target& target,
                                   int attempt) const;
  net::Attempt SendOnce(const ServiceRequest& request, const Target& target, const net::Call& call,
                        int attempt);
  bool CorrectClock(const net::HttpResponse& response, const Target& target);

  const ClientSettings& settings_;
  const std::string region_;
  ServiceClock clock_;
  const Log log_;
  net::HttpClient http_;
  net::RetryBudget budget_;
};

}  // namespace qarion::secrets::aws
