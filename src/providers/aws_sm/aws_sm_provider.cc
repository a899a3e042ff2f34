#include "providers/aws_sm/aws_sm_provider.h"

#include <string>
#include <utility>
#include <vector>

#include "core/per_process.h"
#include "providers/aws_sm/aws_sm_settings.h"
#include "providers/aws_sm/client.h"
#include "providers/aws_sm/doctor.h"

namespace qarion::secrets::aws_sm {
namespace {

class AwsSmProvider final : public SecretProvider {
 public:
  AwsSmProvider(AwsSmSettings settings, Clock& clock, std::function<void(std::string_view)> log)
      : settings_(std::move(settings)), clock_(clock), client_([this, log = std::move(log)] {
          return std::make_unique<Client>(settings_, clock_, log);
        }) {}

  Result<Payload> Fetch(const FetchRequest& request) override {
    return client_.Get().Fetch(request.known_version,
                               {.deadline = request.deadline, .stop = request.stop});
  }

  std::string Source() const override {
    const bool is_arn = !settings_.secret.region.empty();
    return settings_.secret.text + (is_arn ? "" : " in " + settings_.region);
  }

  std::vector<std::pair<std::string, std::string>> Describe() const override {
    return client_.Get().Describe();
  }

  std::vector<Secret> Credentials() const override { return settings_.session.Credentials(); }

  std::vector<Finding> Diagnose(const FetchRequest& request) override {
    return Examine(settings_, client_.Get(), clock_,
                   {.deadline = request.deadline, .stop = request.stop});
  }

 private:
  const AwsSmSettings settings_;
  Clock& clock_;
  const core::PerProcess<Client> client_;
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> CreateAwsSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log) {
  auto settings = LoadAwsSmSettings(lookup);
  if (!settings) return std::move(settings).error();
  return std::unique_ptr<SecretProvider>(
      std::make_unique<AwsSmProvider>(std::move(*settings), clock, log));
}

}  // namespace qarion::secrets::aws_sm
