// Calls of AWS services: signed, retried, with the clock corrected.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client_settings.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "core/json_document.h"
#include "core/random.h"
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
  // Further error codes that are worth another try.
  std::vector<std::string_view> retryable_codes;
};

// An answer of any status.
struct ServiceAnswer {
  int status = 0;
  Secret body;
  std::optional<core::JsonDocument> json;  // none where the body is none
  // Of a status other than 2xx: "ResourceNotFoundException", without name space and suffix; from
  // JSON, a header or XML. Empty where the answer does not say.
  std::string error_code;
  std::string error_text;  // one line fit for people, shortened; without what was sent
  std::string request_id;  // or empty
  std::optional<std::chrono::sys_seconds> date;
  std::string host;  // that answered

  core::JsonValue operator[](std::string_view name) const {
    return json ? (*json)[name] : core::JsonValue();
  }
  bool is_ok() const noexcept { return status >= 200 && status < 300; }
};

// The error that an answer other than 2xx amounts to: by status and code transient, not permitted or
// about settings. `doing`: "sts:AssumeRole", named with host, code and text.
Error ErrorOf(const ServiceAnswer& answer, const std::string& doing);

// Whether the service says that the credentials ended or are not known (any more): others are worth
// one try.
bool IsAboutCredentials(const ServiceAnswer& answer);

// Whether the service says that the credentials may not do it.
bool IsAccessDenied(const ServiceAnswer& answer);

// Thread-safety: every member from several threads.
class ServiceClient {
 public:
  // `settings` and `clock` outlive it. `region`: where no request says another. `log` receives
  // notices such as that of a corrected clock; `trace` a line for each exchange, may be empty.
  ServiceClient(const ClientSettings& settings, std::string region, Clock& clock,
                std::function<void(std::string_view)> log,
                std::function<void(std::string_view)> trace);
  ~ServiceClient();

  // Errors: no answer (kUnavailable), not to be trusted or an endpoint that cannot be used
  // (kConfiguration), not HTTP or too long (kBadData).
  Result<ServiceAnswer> Send(const ServiceRequest& request, const net::Call& call);

  const std::string& region() const noexcept { return region_; }
  // How far the services' clock is ahead of this machine's, as far as it had to be corrected.
  std::chrono::seconds clock_offset() const noexcept;

 private:
  const ClientSettings& settings_;
  const std::string region_;
  Clock& clock_;
};

}  // namespace qarion::secrets::aws
