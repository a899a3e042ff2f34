// Prints what this client of AWS finds in its environment, as JSON: credentials, region, endpoint
// of Secrets Manager, or why not. For tests alone: keys and tokens are shown.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/session.h"
#include "core/json_writer.h"
#include "qarion/secrets/clock.h"

namespace secrets = qarion::secrets;
namespace aws = qarion::secrets::aws;

namespace {

// Pauses between attempts pass at once.
class HurriedClock final : public secrets::Clock {
 public:
  SteadyTime SteadyNow() const noexcept override { return system_->SteadyNow() + skipped_; }
  SystemTime SystemNow() const noexcept override { return system_->SystemNow(); }
  bool WaitUntil(std::unique_lock<std::mutex>& /*lock*/, std::condition_variable& /*condition*/,
                 SteadyTime deadline, const std::function<bool()>& done) override {
    if (!done() && deadline > SteadyNow()) skipped_ += deadline - SteadyNow();
    return done();
  }

 private:
  const std::shared_ptr<Clock> system_ = secrets::Clock::System();
  std::chrono::nanoseconds skipped_{};
};

using Json = secrets::core::JsonWriter;

void Write(Json& json, const char* name, const secrets::Error& error) {
  json.Key(name).BeginObject();
  json.Key("code").Text(ToString(error.code())).Key("reason").Text(error.reason());
  json.Key("cure").Text(error.cure()).EndObject();
}

void Write(Json& json, const aws::Credentials& credentials) {
  json.Key("credentials").BeginObject();
  json.Key("access_key_id").Text(credentials.keys.access_key_id);
  json.Key("secret_access_key").Text(credentials.keys.secret_access_key.Reveal());
  json.Key("session_token").Text(credentials.keys.session_token.Reveal());
  json.Key("account_id").Text(credentials.account_id);
  json.Key("origin").Text(credentials.origin).Key("expires_at");
  if (credentials.expires_at) {
    json.Number(std::chrono::floor<std::chrono::seconds>(credentials.expires_at->time_since_epoch())
                    .count());
  } else {
    json.Null();
  }
  json.EndObject();
}

secrets::Result<void> Look(Json& json) {
  auto settings =
      aws::SessionSettings::Load([](const std::string& name) -> std::optional<std::string_view> {
        const char* text = std::getenv(name.c_str());
        if (text == nullptr) return std::nullopt;
        return text;
      });
  if (!settings) return std::move(settings).error();
  const std::string& region = settings->client.region.text;
  json.Key("region").Text(region);
  const auto endpoint =
      aws::ResolveEndpoint(aws::Service::kSecretsManager, region, settings->client);
  if (endpoint) {
    json.Key("endpoint").Text(endpoint->url).Key("signing_region").Text(endpoint->signing_region);
  } else {
    Write(json, "endpoint_refusal", endpoint.error());
  }

  HurriedClock clock;
  aws::Session session(
      *settings, region, clock, [](std::string_view line) { std::cerr << line << '\n'; }, true);
  auto credentials =
      session.GetCredentials({.deadline = clock.SteadyNow() + std::chrono::minutes(10)});
  if (credentials) {
    Write(json, *credentials);
  } else {
    Write(json, "refusal", credentials.error());
  }
  json.Key("tried").BeginArray();
  for (const auto& [source, why_not] : session.tried()) json.Text(source + ": " + why_not);
  json.EndArray();
  return {};
}

}  // namespace

int main() {
  Json json;
  json.BeginObject();
  if (auto looked = Look(json); !looked) Write(json, "settings_refusal", looked.error());
  json.EndObject();
  std::cout << std::move(json).Take().Reveal();
  return 0;
}
