#include "aws/session.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qarion::secrets::aws {
namespace {

net::HttpClientOptions MetadataOptions(const ServiceClient::Log& trace) {
  constexpr std::size_t kLongestDocument = std::size_t{64} * 1024;
  return {.uses_proxy = false,
          .limits = {.body_bytes = kLongestDocument},
          .allows_http2 = false,
          .trace = trace};
}

}  // namespace

Result<SessionSettings> SessionSettings::Load(const core::SettingLookup& lookup) {
  Variables variables(lookup);
  auto profiles = Profiles::Load(variables);
  if (!profiles) return std::move(profiles).error();
  auto client = LoadClientSettings(variables, *profiles);
  if (!client) return std::move(client).error();
  return SessionSettings{.variables = std::move(variables),
                         .profiles = std::move(*profiles),
                         .client = std::move(*client)};
}

std::vector<Secret> SessionSettings::Credentials() const {
  auto credentials = variables.Credentials();
  std::ranges::move(profiles.Credentials(), std::back_inserter(credentials));
  return credentials;
}

Session::Session(const SessionSettings& settings, const std::string& region, Clock& clock,
                 const ServiceClient::Log& log, bool is_traced)
    : services_(settings.client, region, clock, log, is_traced ? log : nullptr),
      metadata_(MetadataOptions(is_traced ? log : nullptr)),
      chain_({.variables = settings.variables,
              .profiles = settings.profiles,
              .settings = settings.client,
              .services = services_,
              .metadata = metadata_,
              .clock = clock,
              .random = random_,
              .log = log}) {}

Result<Credentials> Session::GetCredentials(const net::Call& call) {
  auto credentials = chain_.Get(call);
  if (credentials) Note(*credentials);
  return credentials;
}

void Session::Note(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  in_use_ = {.origin = credentials.origin, .expires_at = credentials.expires_at};
}

Result<ServiceAnswer> Session::SendSigned(ServiceRequest request, const net::Call& call) {
  auto credentials = GetCredentials(call);
  if (!credentials) return std::move(credentials).error();
  request.signer = &*credentials;
  auto answer = services_.Send(request, call);
  if (!answer || !IsAboutCredentials(answer->error_code)) return answer;
  auto others = ReplaceCredentials(*credentials, call);
  if (!others) return std::move(others).error();
  if (!*others) return answer;
  Note(**others);
  request.signer = &**others;
  return services_.Send(request, call);
}

std::optional<Session::InUse> Session::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

}  // namespace qarion::secrets::aws
