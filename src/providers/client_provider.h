// How the remote backends are providers.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/per_process.h"
#include "net/call.h"
#include "providers/examiner_base.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets {

// `Settings` know the Source() of a provider and the Credentials() that stand in them; `Client` is
// made of settings, a clock and a log, and has all that belongs to one process: connections,
// tokens, what was found out. It knows how to Fetch, Describe and Diagnose, and the Credentials()
// that it got and uses now; what came of the latest fetch and diagnosis is kept and described here.
template <typename Settings, typename Client>
class ClientProvider final : public SecretProvider {
 public:
  ClientProvider(Settings settings, Clock& clock, std::function<void(std::string_view)> log)
      : settings_(std::move(settings)), here_([this, &clock, log = std::move(log)] {
          return std::make_unique<Here>(settings_, clock, log);
        }) {}

  Result<Payload> Fetch(const FetchRequest& request) override {
    Here& here = here_.Get();
    auto payload = here.client.Fetch(request.known_version, CallOf(request));
    const std::lock_guard lock(here.mutex);
    here.last_error = payload ? "" : payload.error().reason();
    return payload;
  }
  std::string Source() const override { return settings_.Source(); }
  std::vector<std::pair<std::string, std::string>> Describe() const override {
    const Here& here = here_.Get();
    auto lines = here.client.Describe();
    const std::lock_guard lock(here.mutex);
    lines.insert(lines.end(), here.details.begin(), here.details.end());
    if (!here.last_error.empty()) lines.emplace_back("last fetch", here.last_error);
    return lines;
  }
  std::vector<Secret> Credentials() const override {
    auto credentials = settings_.Credentials();
    std::ranges::move(here_.Get().client.Credentials(), std::back_inserter(credentials));
    return credentials;
  }
  std::vector<Finding> Diagnose(const FetchRequest& request) override {
    Here& here = here_.Get();
    Diagnosis diagnosis = here.client.Diagnose(CallOf(request));
    const std::lock_guard lock(here.mutex);
    here.details = std::move(diagnosis.details);
    return std::move(diagnosis.findings);
  }

 private:
  // In this process.
  struct Here {
    Here(const Settings& settings, Clock& clock, const std::function<void(std::string_view)>& log)
        : client(settings, clock, log) {}

    Client client;
    mutable std::mutex mutex;                                  // of what follows
    std::string last_error;                                    // of the latest fetch, or empty
    std::vector<std::pair<std::string, std::string>> details;  // of the latest diagnosis
  };

  static net::Call CallOf(const FetchRequest& request) {
    return {.deadline = request.deadline, .stop = request.stop};
  }

  const Settings settings_;
  const core::PerProcess<Here> here_;
};

// What a module hands out: a provider by its settings, or what is wrong with these.
template <typename Client, typename Settings>
Result<std::unique_ptr<SecretProvider>> MakeProvider(
    Result<Settings> settings, Clock& clock, const std::function<void(std::string_view)>& log) {
  if (!settings) return std::move(settings).error();
  return std::unique_ptr<SecretProvider>(
      std::make_unique<ClientProvider<Settings, Client>>(std::move(*settings), clock, log));
}

}  // namespace qarion::secrets
