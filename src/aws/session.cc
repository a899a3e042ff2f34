#include "aws/session.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "aws/metadata_address.h"
#include "aws/signed_call.h"

namespace qarion::secrets::aws {

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
      metadata_(net::MetadataServiceOptions(is_traced ? log : nullptr)),
      chain_({.variables = settings.variables,
              .profiles = settings.profiles,
              .settings = settings.client,
              .services = services_,
              .metadata = metadata_,
              .clock = clock,
              .random = random_,
              .held = held_,
              .log = log}) {}

Result<Credentials> Session::GetCredentials(const net::Call& call) {
  auto credentials = chain_.credentials().Get(call);
  if (credentials) Note(*credentials);
  return credentials;
}

void Session::Note(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  origin_ = credentials.origin;
  expires_at_ = credentials.expires_at;
  is_prolonged_ = credentials.is_prolonged;
}

Result<ServiceAnswer> Session::SendSigned(ServiceRequest request, const net::Call& call) {
  Credentials used;
  auto answer = aws::SendSigned(std::move(request), chain_.credentials(), services_, call, used);
  if (!used.origin.empty()) Note(used);
  return answer;
}

std::optional<Session::InUse> Session::in_use() const {
  const std::lock_guard lock(mutex_);
  if (origin_.empty()) return std::nullopt;
  InUse in_use{.origin = origin_, .left = {}, .is_prolonged = is_prolonged_};
  if (expires_at_) {
    in_use.left =
        std::chrono::floor<std::chrono::seconds>(*expires_at_ - services_.clock().SystemNow());
  }
  return in_use;
}

}  // namespace qarion::secrets::aws
