// Profiles and variables of a test, and an STS that assumes every role.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "aws/credential_source.h"
#include "tests/fakes/local_server.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/revealed.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::aws {

class RoleTestBase : public testing::Test {
 protected:
  struct StsCall {
    std::map<std::string, std::string> fields;  // decoded
    std::string content_type;
    std::string key_id;  // that signed; empty: nobody did
    std::string scope;   // "eu-central-1/sts"
    std::string token;   // the session token beside the signature
  };

  static std::string Role(const std::string& name) {
    return "arn:aws:iam::123456789012:role/" + name;
  }

  static test::LocalAnswer Granted(const std::string& action, const std::string& role,
                                   const std::string& expiration = "2026-01-01T01:00:00Z") {
    return {200, "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" +
                     action + "Result><Credentials><AccessKeyId>ASIA" + role +
                     "</AccessKeyId><SecretAccessKey>fake-secret-of-" + role +
                     "</SecretAccessKey><SessionToken>fake-token-of-" + role +
                     "</SessionToken><Expiration>" + expiration +
                     "</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:"
                     "assumed-role/" +
                     role + "/s</Arn></AssumedRoleUser></" + action + "Result></" + action +
                     "Response>"};
  }

  static test::LocalAnswer Refused(int status, const std::string& code,
                                   const std::string& text = "fake words of AWS") {
    return {status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" +
                        text + "</Message></Error><RequestId>1</RequestId></ErrorResponse>"};
  }

  // The files, and variables beside those that name them.
  void Begin(const std::string& config, const std::string& credentials = "",
             std::map<std::string, std::string> variables = {}) {
    given_ = std::move(variables);
    given_["AWS_CONFIG_FILE"] = directory_.Write("config", config);
    given_["AWS_SHARED_CREDENTIALS_FILE"] = directory_.Write("credentials", credentials);
    variables_.emplace([this](const std::string& name) -> std::optional<std::string_view> {
      const auto found = given_.find(name);
      if (found == given_.end()) return std::nullopt;
      return found->second;
    });
    auto profiles = Profiles::Load(*variables_);
    ASSERT_TRUE(profiles) << profiles.error().reason();
    profiles_.emplace(std::move(*profiles));
    BeginClient();
  }

  // Only what talks to STS.
  void BeginClient() {
    settings_.region.text = "eu-central-1";
    settings_.endpoints[Service::kSts] = {sts_.Url(), "AWS_ENDPOINT_URL_STS"};
    services_ = std::make_unique<ServiceClient>(
        settings_, "eu-central-1", clock_, [](std::string_view) {}, nullptr);
  }

  SourceContext Context() {
    return {.variables = *variables_,
            .profiles = *profiles_,
            .settings = settings_,
            .services = *services_,
            .metadata = metadata_,
            .clock = clock_,
            .random = random_,
            .held = held_,
            .log = [](std::string_view) {}};
  }

  net::Call Soon() { return {.deadline = clock_.SteadyNow() + std::chrono::minutes(1)}; }

  // The key id that a source gives, or "not: " and why it does not apply, or all of its error,
  // which must not have a secret in it.
  std::string Outcome(const SourcePtr& source) {
    auto offer = source->Get(Soon());
    if (!offer) return TextOf(offer.error());
    return offer->credentials ? offer->credentials->keys.access_key_id : "not: " + offer->why_not;
  }

  static std::string TextOf(const Error& error) {
    std::string text = std::string(ToString(error.code())) + ": " + error.reason() + "\n";
    for (const auto& [key, value] : error.context()) text += key + "=" + value + "\n";
    EXPECT_NE(error.cure(), "") << text;
    text += error.cure();
    EXPECT_EQ(text.find("fake-"), std::string::npos) << "a secret is shown: " << text;
    return text;
  }

  // Calls it while the clock goes from one pause's end to the next, so that retries do not wait.
  template <typename Function>
  auto WhileTimePasses(const Function& function) {
    const std::jthread turner([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        clock_.fake().AdvanceToNextDeadline();
        std::this_thread::yield();
      }
    });
    return function();
  }

  // What a source holds.
  std::vector<std::string> Held() const { return test::Revealed(held_.All()); }

  std::vector<StsCall> Calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  void Answer(const std::string& role, std::vector<test::LocalAnswer> answers) {
    const std::lock_guard lock(mutex_);
    script_[role] = std::move(answers);
  }

  test::FakeClockAhead clock_;
  test::TemporaryDirectory directory_;
  ClientSettings settings_;
  core::HeldSecrets held_;
  std::unique_ptr<ServiceClient> services_;

 private:
  static std::string Decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] != '%') {
        decoded += text[at];
        continue;
      }
      decoded += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    }
    return decoded;
  }

  static std::map<std::string, std::string> Fields(std::string_view body) {
    std::map<std::string, std::string> fields;
    while (!body.empty()) {
      const std::string_view field = body.substr(0, body.find('&'));
      body.remove_prefix(std::min(field.size() + 1, body.size()));
      const std::size_t equals = field.find('=');
      fields[std::string(field.substr(0, equals))] = Decoded(field.substr(equals + 1));
    }
    return fields;
  }

  static std::string HeaderOf(const test::LocalRequest& request, const char* name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? "" : found->second;
  }

  static StsCall CallOf(const test::LocalRequest& request) {
    StsCall call{.fields = Fields(request.body),
                 .content_type = HeaderOf(request, "content-type"),
                 .token = HeaderOf(request, "x-amz-security-token")};
    const std::string authorization = HeaderOf(request, "authorization");
    if (authorization.empty()) return call;
    constexpr std::string_view kBegin = "AWS4-HMAC-SHA256 Credential=";
    constexpr std::string_view kEnd = "/aws4_request, ";
    EXPECT_TRUE(authorization.starts_with(kBegin)) << authorization;
    const std::string credential =
        authorization.substr(kBegin.size(), authorization.find(kEnd) - kBegin.size());
    const std::size_t day = credential.find('/');
    call.key_id = credential.substr(0, day);
    call.scope = credential.substr(credential.find('/', day + 1) + 1);
    return call;
  }

  test::LocalAnswer AnswerTo(const test::LocalRequest& request) {
    StsCall call = CallOf(request);
    const std::string action = call.fields["Action"];
    const auto arn = call.fields.find("RoleArn");
    const std::string role =
        arn == call.fields.end() ? "" : arn->second.substr(arn->second.rfind('/') + 1);
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    auto& script = script_[role];
    if (script.empty()) return Granted(action, role);
    test::LocalAnswer answer = script.front();
    if (script.size() > 1) script.erase(script.begin());
    return answer;
  }

  std::map<std::string, std::string> given_;
  std::optional<Variables> variables_;
  std::optional<Profiles> profiles_;
  net::HttpClient metadata_{{}};
  test::FixedRandom random_{0.5};
  std::mutex mutex_;  // of what follows
  std::vector<StsCall> calls_;
  std::map<std::string, std::vector<test::LocalAnswer>> script_;  // the last answer stays
  test::LocalServer sts_{[this](const test::LocalRequest& request) { return AnswerTo(request); }};
};

}  // namespace qarion::secrets::aws
