#include "aws/service_client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "aws/retry_policy.h"
#include "core/random.h"
#include "net/http_date.h"
#include "net/url.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::seconds;

// What the AWS SDKs wait for a connection within a region and across regions, and some more.
constexpr std::chrono::milliseconds kConnectTimeout{5'000};
// An attempt gets its part of the time that is left, so that a server that hangs leaves some to
// others.
constexpr seconds kShortestAttempt{1};
constexpr std::size_t kLongestAnswer = std::size_t{1024} * 1024;
// A signature is good for five minutes before and after; a clock that is off by less needs no
// correction, and one that is off by more than a day is not mended by what a server says.
constexpr seconds kTolerableSkew{240};
constexpr seconds kLargestSkew{24 * 3600};

net::HttpClientOptions OptionsOf(const ClientSettings& settings, const ServiceClient::Log& trace) {
  net::HttpClientOptions options{
      .tls = {.ca_file = settings.ca_bundle.text, .authority_setting = settings.ca_bundle.setting},
      .limits = {.connect_timeout = kConnectTimeout, .body_bytes = kLongestAnswer},
      .allows_http2 = false,
      .trace = trace};
  if (options.tls.authority_setting.empty()) options.tls.authority_setting = "AWS_CA_BUNDLE";
  return options;
}

// As it stands in the header Host.
std::string HostOf(const net::Url& url) {
  const bool is_default = url.port == (url.scheme == "https" ? "443" : "80");
  return is_default ? url.host : url.host + ":" + url.port;
}

// A random UUID (RFC 9562, version 4), for finding a call in a service's logs.
std::string MakeInvocationId(core::Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
  for (char& c : id) {
    if (c == 'x') c = kDigits[static_cast<std::size_t>(random.Uniform() * 16)];
  }
  return id;
}

std::vector<Secret> HiddenOf(const ServiceRequest& request) {
  std::vector<Secret> hidden;
  for (const Secret& secret : request.hidden) hidden.push_back(secret.Share());
  if (request.signer != nullptr) {
    hidden.push_back(request.signer->keys.secret_access_key.Share());
    hidden.push_back(request.signer->keys.session_token.Share());
  }
  return hidden;
}

}  // namespace

// Where one call goes.
struct ServiceClient::Target {
  Endpoint endpoint;
  net::Url url;
  std::string path;
  std::string invocation_id;
};

ServiceClient::ServiceClient(const ClientSettings& settings, std::string region, Clock& clock,
                             Log log, const Log& trace)
    : settings_(settings),
      region_(std::move(region)),
      clock_(clock),
      log_(std::move(log)),
      http_(OptionsOf(settings, trace)) {}

Result<ServiceAnswer> ServiceClient::Send(const ServiceRequest& request, const net::Call& call) {
  auto endpoint = ResolveEndpoint(request.service,
                                  request.region.empty() ? region_ : request.region, settings_);
  if (!endpoint) return std::move(endpoint).error();
  const auto url = net::ParseUrl(endpoint->url);
  if (!url) {
    return Error(ErrorCode::kConfiguration, endpoint->setting + " is no http or https URL")
        .With("setting", endpoint->setting)
        .Cure("write it as https://host or https://host:port");
  }
  core::SystemRandom random;
  Target target{.endpoint = std::move(*endpoint),
                .url = *url,
                .path = url->path == "/" ? "" : url->path,
                .invocation_id = MakeInvocationId(random)};
  target.path += request.path;

  auto response = net::SendWithRetries(
      [&](int attempt) { return SendOnce(request, target, call, attempt); },
      MakeRetryPolicy(settings_.retry_mode, settings_.most_attempts, request.retryable_codes),
      {.clock = clock_,
       .random = random,
       .budget = budget_,
       .deadline = call.deadline,
       .stop = call.stop});
  if (!response) return std::move(response).error();
  return ReadAnswer(std::move(*response), HostOf(target.url), HiddenOf(request));
}

Result<net::HttpRequest> ServiceClient::Compose(const ServiceRequest& request, const Target& target,
                                                int attempt) const {
  net::HttpRequest composed{
      .method = request.method,
      .url = target.url.Origin() + target.path + (request.query.empty() ? "" : "?" + request.query),
      .body = request.body.Share()};
  for (const net::HttpHeader& header : request.headers) {
    composed.headers.push_back({header.name, header.value.Share()});
  }
  if (request.signer != nullptr) {
    const std::string host = HostOf(target.url);
    crypto::SigningRequest to_sign{.method = request.method,
                                   .path = target.path,
                                   .query = request.query,
                                   .payload = request.body.Reveal()};
    to_sign.headers.push_back({"host", host});
    for (const net::HttpHeader& header : composed.headers) {
      to_sign.headers.push_back({header.name, header.value.Reveal()});
    }
    const auto now = std::chrono::floor<seconds>(clock_.SystemNow());
    auto signature = crypto::SignWithHeaders(to_sign, request.signer->keys,
                                             {.region = target.endpoint.signing_region,
                                              .service = std::string(SigningName(request.service))},
                                             now);
    if (!signature) return std::move(signature).error();
    for (crypto::AddedHeader& added : signature->headers) {
      composed.headers.push_back({std::move(added.name), std::move(added.value)});
    }
  }
  composed.headers.push_back({"amz-sdk-invocation-id", Secret::CopyOf(target.invocation_id)});
  composed.headers.push_back(
      {"amz-sdk-request", Secret::CopyOf("attempt=" + std::to_string(attempt) +
                                         "; max=" + std::to_string(settings_.most_attempts))});
  return composed;
}

net::Attempt ServiceClient::SendOnce(const ServiceRequest& request, const Target& target,
                                     const net::Call& call, int attempt) {
  const auto now = clock_.SteadyNow();
  const int attempts_left = std::max(settings_.most_attempts - attempt, 0) + 1;
  const auto part =
      std::max<std::chrono::nanoseconds>((call.deadline - now) / attempts_left, kShortestAttempt);
  const auto deadline = std::min(call.deadline, now + part);
  const auto send = [&]() -> net::Attempt {
    auto composed = Compose(request, target, attempt);
    if (!composed) return {.result = std::move(composed).error(), .was_sent = false};
    return http_.Send(*composed, deadline, call.stop, attempt);
  };
  net::Attempt made = send();
  if (made.result && request.signer != nullptr && CorrectClock(*made.result, target)) {
    made = send();
  }
  return made;
}

// A refusal may be of the signature's time. Returns whether it is to be signed again.
bool ServiceClient::CorrectClock(const net::HttpResponse& response, const Target& target) {
  if (!MayBeAboutClock(ErrorCodeOf(response))) return false;
  if (target.url.scheme != "https") return false;  // anybody on the way can write a date
  const auto header = response.Find("date");
  const auto date = header ? net::ParseHttpDate(*header) : std::nullopt;
  if (!date) return false;
  const seconds offset = clock_.LeadOf(*date);
  const seconds error = offset - clock_.offset();
  if (std::chrono::abs(error) <= kTolerableSkew || std::chrono::abs(offset) > kLargestSkew) {
    return false;
  }
  clock_.Correct(offset);
  if (std::chrono::abs(offset) <= kTolerableSkew) {
    log_("this machine's clock is right again, by that of " + target.url.host);
  } else {
    log_("this machine's clock is " + std::to_string(std::abs(offset.count())) + " s " +
         (offset > seconds::zero() ? "behind" : "ahead of") + " that of " + target.url.host +
         "; the latter counts for signatures and for the end of credentials: let this machine keep "
         "time (NTP)");
  }
  return true;
}

}  // namespace qarion::secrets::aws
