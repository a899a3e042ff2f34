// What gets tokens of Google Cloud stands on, as a test gives it. Secrets of these tests begin with
// "fake-".
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gcp/source_context.h"
#include "net/call.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/revealed.h"
#include "tests/support/skipping_clock.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::test {

class GcpSourceBase : public testing::Test {
 protected:
  net::Call Soon(std::chrono::milliseconds time = std::chrono::minutes(1)) const {
    return {.deadline = clock_.SteadyNow() + time, .stop = {}};
  }

  // The token, or "code: reason".
  static std::string Outcome(const Result<Secret>& token) {
    if (token) return std::string(token->Reveal());
    const Error& error = token.error();
    EXPECT_THAT(TextOf(error), testing::Not(testing::HasSubstr("fake-")));
    EXPECT_NE(error.cure(), "") << error.reason();
    return std::string(ToString(error.code())) + ": " + error.reason();
  }
  static std::string TextOf(const Error& error) {
    std::string text = error.reason() + "\n" + error.cure();
    for (const auto& [key, value] : error.context()) text += "\n" + key + "=" + value;
    return text;
  }

  // What came with it is held.
  std::vector<std::string> Held() const { return Revealed(held_.All()); }

  // Which client each request went through: "services" or "metadata".
  const std::vector<std::string>& Clients() const { return clients_; }

  const TemporaryDirectory directory_;
  gcp::ClientSettings settings_;
  core::HeldSecrets held_;
  SkippingClock clock_;

 private:
  net::HttpClientOptions Options(const char* name) {
    return {.uses_proxy = false,
            .trace = [this, name](std::string_view) { clients_.emplace_back(name); }};
  }

  std::vector<std::string> clients_;
  net::HttpClient services_{Options("services")};
  net::HttpClient metadata_{Options("metadata")};
  FixedRandom random_{0};
  net::RetryBudget budget_;

 protected:
  const gcp::SourceContext context_{.settings = settings_,
                                    .services = services_,
                                    .metadata = metadata_,
                                    .clock = clock_,
                                    .random = random_,
                                    .budget = budget_,
                                    .held = held_};
};

}  // namespace qarion::secrets::test
