// What a source of AWS credentials stands on, as a test gives it. Secrets of these tests begin with
// "fake-".
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credential_source.h"
#include "aws/metadata_address.h"
#include "core/json_document.h"
#include "tests/fakes/local_server.h"
#include "tests/fakes/scripted_server.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/revealed.h"
#include "tests/support/skipping_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::test {

// The exchanges of a published case (aws_credentials/*/*/http-traffic.json).
struct Traffic {
  std::vector<std::string> requests;  // "GET /path?query"
  std::vector<LocalAnswer> answers;
};

inline Traffic ReadTraffic(const std::string& directory) {
  Traffic traffic;
  auto json = core::JsonDocument::Parse(ReadText(directory + "/http-traffic.json"), "traffic");
  if (!json) return traffic;
  for (const core::JsonValue& event : (*json)["events"].Elements()) {
    const core::JsonValue action = event["action"];
    const core::JsonValue request = action["Request"]["request"];
    if (const auto uri = request["uri"].Text()) {
      traffic.requests.push_back(std::string(*request["method"].Text()) + " " +
                                 std::string(uri->substr(uri->find('/', uri->find("://") + 3))));
    }
    if (const auto status = action["Response"]["response"]["Ok"]["status"].Integer()) {
      traffic.answers.push_back({static_cast<int>(*status), ""});
    }
    if (action["Data"]["direction"].Text() == "Response") {
      traffic.answers.back().body += *action["Data"]["data"]["Utf8"].Text();
    }
  }
  return traffic;
}

class AwsSourceBase : public testing::Test {
 protected:
  using Make = std::function<aws::SourcePtr(const aws::SourceContext&)>;

  void Set(const std::string& name, std::string value) { given_[name] = std::move(value); }

  // Makes the source with what was given until then.
  void Open(const Make& make) {
    given_.try_emplace("HOME", home_.path());
    variables_.emplace([this](const std::string& name) -> std::optional<std::string_view> {
      const auto found = given_.find(name);
      if (found == given_.end()) return std::nullopt;
      return found->second;
    });
    auto profiles = aws::Profiles::Load(*variables_);
    ASSERT_TRUE(profiles) << profiles.error().reason();
    profiles_.emplace(std::move(*profiles));
    const auto log = [this](std::string_view line) { log_.emplace_back(line); };
    services_.emplace(settings_, "eu-central-1", clock_, log, nullptr);
    random_.emplace(chance_);
    source_ = make({.variables = *variables_,
                    .profiles = *profiles_,
                    .settings = settings_,
                    .services = *services_,
                    .metadata = metadata_,
                    .clock = clock_,
                    .random = *random_,
                    .held = held_,
                    .log = log});
  }

  Result<aws::Offer> Get(std::chrono::milliseconds time = std::chrono::minutes(1)) {
    auto offer = source_->Get({.deadline = clock_.SteadyNow() + time, .stop = {}});
    if (!offer) ExpectShowsNothing(TextOf(offer.error()));
    if (offer) ExpectShowsNothing(offer->why_not);
    if (offer && offer->credentials) ExpectShowsNothing(offer->credentials->origin);
    for (const std::string& line : log_) ExpectShowsNothing(line);
    return offer;
  }

  // "KEY SECRET TOKEN ACCOUNT", why there are none, or the error.
  static std::string Outcome(const Result<aws::Offer>& offer) {
    if (!offer) return "error: " + offer.error().reason();
    if (!offer->credentials) return "why not: " + offer->why_not;
    const aws::Credentials& found = *offer->credentials;
    return found.keys.access_key_id + " " + std::string(found.keys.secret_access_key.Reveal()) +
           " " + std::string(found.keys.session_token.Reveal()) + " " + found.account_id;
  }
  std::string Ask() { return Outcome(Get()); }

  // What the source holds.
  std::vector<std::string> Held() const { return Revealed(held_.All()); }

  static std::string TextOf(const Error& error) {
    std::string text = error.reason() + "\n" + error.cure();
    for (const auto& [key, value] : error.context()) text += "\n" + key + "=" + value;
    return text;
  }
  static void ExpectShowsNothing(const std::string& text) {
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("fake-")));
  }

  TemporaryDirectory home_;
  aws::ClientSettings settings_;
  core::HeldSecrets held_;
  SkippingClock clock_;
  double chance_ = 0;  // in [0, 1)
  std::vector<std::string> log_;

 private:
  std::map<std::string, std::string> given_;
  std::optional<aws::Variables> variables_;
  std::optional<aws::Profiles> profiles_;
  std::optional<aws::ServiceClient> services_;
  std::optional<FixedRandom> random_;
  net::HttpClient metadata_{net::MetadataServiceOptions(nullptr)};
  aws::SourcePtr source_;
};

}  // namespace qarion::secrets::test
