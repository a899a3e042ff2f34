// How the remote backends are providers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/per_process.h"
#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets {

// `Settings` know the Source() and the Credentials() of a provider; `Client` is made of settings, a
// clock and a log, and has all that belongs to one process: connections, tokens, what was found
// out. It knows how to Fetch, Describe and Diagnose.
template <typename Settings, typename Client>
class ClientProvider final : public SecretProvider {
 public:
  ClientProvider(Settings settings, Clock& clock, std::function<void(std::string_view)> log)
      : settings_(std::move(settings)), client_([this, &clock, log = std::move(log)] {
          return std::make_unique<Client>(settings_, clock, log);
        }) {}

  Result<Payload> Fetch(const FetchRequest& request) override {
    return client_.Get().Fetch(request.known_version, CallOf(request));
  }
  std::string Source() const override { return settings_.Source(); }
  std::vector<std::pair<std::string, std::string>> Describe() const override {
    return client_.Get().Describe();
  }
  std::vector<Secret> Credentials() const override { return settings_.Credentials(); }
  std::vector<Finding> Diagnose(const FetchRequest& request) override {
    return client_.Get().Diagnose(CallOf(request));
  }

 private:
  static net::Call CallOf(const FetchRequest& request) {
    return {.deadline = request.deadline, .stop = request.stop};
  }

  const Settings settings_;
  const core::PerProcess<Client> client_;
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
