#include "providers/aws_sm/client.h"

#include <algorithm>

#include "providers/aws_sm/doctor.h"

namespace qarion::secrets::aws_sm {
namespace {

// How long a look at the description stands in for reading the value.
constexpr std::chrono::minutes kLongestUnread{15};

}  // namespace

Client::Client(const AwsSmSettings& settings, Clock& clock,
               const std::function<void(std::string_view)>& log)
    : settings_(settings),
      clock_(clock),
      session_(settings.session, settings.region, clock, log, settings.is_traced) {}

Result<Payload> Client::Fetch(const std::string& known_version, const net::Call& call) {
  const bool may_ask = !known_version.empty() && settings_.version.id.empty() && may_describe_ &&
                       clock_.SteadyNow() - read_at_ < kLongestUnread;
  const bool is_current = may_ask && IsCurrent(known_version, call);
  if (is_current) return Payload{.version = known_version, .not_modified = true};
  auto payload = Read(call);
  if (payload) read_at_ = clock_.SteadyNow();
  return payload;
}

bool Client::IsCurrent(const std::string& known_version, const net::Call& call) {
  auto answer = session_.SendSigned(DescriptionRequest(settings_.secret), call);
  if (!answer) return false;  // so will reading, which says why
  if (aws::IsAccessDenied(answer->error_code)) may_describe_ = false;
  const auto description = DescriptionFrom(*answer, settings_.secret);
  return description && !description->is_deleted &&
         description->VersionAt(settings_.version.StageInEffect()) == known_version;
}

Result<Payload> Client::Read(const net::Call& call) {
  auto answer = session_.SendSigned(ValueRequest(settings_.secret, settings_.version), call);
  if (!answer) return std::move(answer).error();
  auto payload = PayloadFromValue(*answer, settings_.secret, settings_.version);
  if (payload) {
    const std::lock_guard lock(mutex_);
    value_read_ = std::string(*(*answer)["ARN"].Text()) + ", version " + payload->version;
  }
  return payload;
}

std::vector<std::pair<std::string, std::string>> Client::Describe() const {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"region", settings_.region + " from " + settings_.region_setting}};
  if (const auto endpoint = aws::ResolveEndpoint(aws::Service::kSecretsManager, settings_.region,
                                                 settings_.session.client)) {
    lines.emplace_back(
        "endpoint",
        endpoint->url + (endpoint->setting.empty() ? "" : " from " + endpoint->setting));
  }
  if (const auto credentials = session_.in_use()) {
    lines.emplace_back("credentials", credentials->origin);
    std::string end = "never, as far as is known";
    if (credentials->is_prolonged) {
      end = "soon or have done so, and are used on: the metadata service has no others yet";
    } else if (const auto left = credentials->left) {
      end = "in " + std::to_string(std::max<std::int64_t>(left->count(), 0)) + " s";
    }
    lines.emplace_back("credentials expire", std::move(end));
  }
  const std::lock_guard lock(mutex_);
  if (!value_read_.empty()) lines.emplace_back("value read", value_read_);
  return lines;
}

Diagnosis Client::Diagnose(const net::Call& call) {
  return Examine(settings_, *this, clock_, call);
}

}  // namespace qarion::secrets::aws_sm
