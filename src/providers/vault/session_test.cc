#include "providers/vault/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/random.h"
#include "core/system_clock.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/given_settings.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultServer;
using testing::HasSubstr;

// A session whose first login, on a thread of its own, gets no answer.
class SessionWithHangingLogin : public testing::Test {
 protected:
  void SetUp() override {
    const std::map<std::string, std::string> given = {{"VAULT_ADDR", server_.Url("")},
                                                      {"VAULT_AUTH_METHOD", "userpass"},
                                                      {"VAULT_USERNAME", "fake-user"},
                                                      {"VAULT_PASSWORD", "fake-password"}};
    auto settings = test::Load(given);
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_ = std::make_unique<VaultSettings>(std::move(*settings));
    api_ = std::make_unique<Api>(*settings_, clock_, nullptr);
    session_ = std::make_unique<Session>(*settings_, *api_, clock_,
                                         std::make_unique<core::SystemRandom>(), nullptr);
    first_ = std::jthread([this](const std::stop_token& stop) {
      EXPECT_FALSE(session_->Token({.deadline = clock_.SteadyNow() + seconds(30), .stop = stop}));
    });
    ASSERT_THAT(server_.NextLine(), HasSubstr("/v1/auth/userpass/login/fake-user"));
  }

  FaultServer server_ = FaultServer({"hang"});
  core::SystemClock clock_;
  std::unique_ptr<VaultSettings> settings_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Session> session_;
  std::jthread first_;
};

TEST_F(SessionWithHangingLogin, KeepsNobodyElseBeyondTheirDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  auto token = session_->Token({.deadline = clock_.SteadyNow() + milliseconds(300)});
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code(), ErrorCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(server_.CountRequests(), 0);  // one login at a time
}

TEST_F(SessionWithHangingLogin, KeepsNobodyElseWhoGaveUp) {
  const auto begin = std::chrono::steady_clock::now();
  std::stop_source stop;
  std::jthread second([&] {
    auto token =
        session_->Token({.deadline = clock_.SteadyNow() + seconds(30), .stop = stop.get_token()});
    EXPECT_FALSE(token);
  });
  stop.request_stop();
  second.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(SessionWithHangingLogin, LetsTheNextOneTryWhereItFails) {
  first_.request_stop();
  auto token = session_->Token({.deadline = clock_.SteadyNow() + milliseconds(300)});
  EXPECT_FALSE(token);
  EXPECT_EQ(server_.CountRequests(), 1);
}

}  // namespace
}  // namespace qarion::secrets::vault
