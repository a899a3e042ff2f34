#include "providers/gcp_sm/gcp_sm_provider.h"

#include <string>
#include <utility>
#include <vector>

#include "core/per_process.h"
#include "providers/gcp_sm/client.h"
#include "providers/gcp_sm/doctor.h"
#include "providers/gcp_sm/gcp_sm_settings.h"

namespace qarion::secrets::gcp_sm {
namespace {

class GcpSmProvider final : public SecretProvider {
 public:
  GcpSmProvider(GcpSmSettings settings, Clock& clock, std::function<void(std::string_view)> log)
      : settings_(std::move(settings)), clock_(clock), client_([this, log = std::move(log)] {
          return std::make_unique<Client>(settings_, clock_, log);
        }) {}

  Result<Payload> Fetch(const FetchRequest& request) override {
    return client_.Get().Fetch({.deadline = request.deadline, .stop = request.stop});
  }

  std::string Source() const override {
    const SecretName& name = settings_.name;
    const std::string where = name.project.empty() ? "secret " + name.secret : name.Resource();
    return where + " version " + name.version;
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
  const GcpSmSettings settings_;
  Clock& clock_;
  const core::PerProcess<Client> client_;
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> CreateGcpSmProvider(
    const core::SettingLookup& lookup, Clock& clock,
    const std::function<void(std::string_view)>& log) {
  auto settings = LoadGcpSmSettings(lookup);
  if (!settings) return std::move(settings).error();
  return std::unique_ptr<SecretProvider>(
      std::make_unique<GcpSmProvider>(std::move(*settings), clock, log));
}

}  // namespace qarion::secrets::gcp_sm
