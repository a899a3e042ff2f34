// A session of the backend `vault` with a server that the test scripts, a clock that it turns and
// chance that it decides.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "providers/vault/session.h"
#include "tests/fakes/local_server.h"
#include "tests/support/fake_clock_ahead.h"
#include "tests/support/given_settings.h"
#include "tests/support/revealed.h"

namespace qarion::secrets::test {

class SessionTestBase : public testing::Test {
 protected:
  using Seconds = std::chrono::duration<double>;

  // How the server answers: to the n-th request of a kind as the n-th of these says, to later ones
  // as the last. Kinds: "login", "renew-self", "lookup-self", "leader".
  using Script = std::map<std::string, std::vector<LocalAnswer>>;

  struct Request {
    std::string kind;
    std::string token;
    std::string body;
    Seconds at;  // since the session began
  };

  static LocalAnswer Grant(const std::string& token, int lease, const std::string& more = "") {
    return {200, R"({"auth":{"client_token":")" + token + R"(","lease_duration":)" +
                     std::to_string(lease) + R"(,"renewable":true)" + more + "}}"};
  }
  static LocalAnswer Renewal(int lease) { return Grant("fake-renewed", lease); }
  static LocalAnswer LookUp(int ttl) {
    return {200, R"({"data":{"ttl":)" + std::to_string(ttl) + R"(,"renewable":true}})"};
  }
  static LocalAnswer Refusal(int status) { return {status, R"({"errors":["fake refusal"]})"}; }

  void Begin(Script script, double chance = 0, const Given& login = {}) {
    {
      const std::lock_guard lock(mutex_);
      script_ = std::move(script);
      script_.try_emplace("leader", std::vector{Refusal(400)});
    }
    const Given user = {{"VAULT_AUTH_METHOD", "userpass"},
                        {"VAULT_USERNAME", "fake-user"},
                        {"VAULT_PASSWORD", "fake-password"}};
    auto settings = Load(With(login.empty() ? user : login,
                              {{"VAULT_ADDR", server_.Url()}, {"VAULT_MAX_RETRIES", "0"}}));
    ASSERT_TRUE(settings) << settings.error().reason();
    settings_ = std::make_unique<vault::VaultSettings>(std::move(*settings));
    api_ = std::make_unique<vault::Api>(*settings_, clock_, nullptr);
    session_ = std::make_unique<vault::Session>(
        *settings_, *api_, clock_, std::make_unique<FixedRandom>(chance), [](std::string_view) {});
  }

  void TearDown() override { session_.reset(); }

  vault::Call Soon() { return {.deadline = clock_.SteadyNow() + std::chrono::minutes(1)}; }

  // The token in use, or why there is none.
  std::string Token() {
    auto token = session_->Token(Soon());
    return token ? std::string(token->value.Reveal()) : std::string(ToString(token.error().code()));
  }

  // What the logins were made with and brought.
  std::vector<std::string> Held() const { return Revealed(session_->login().Held()); }

  void Turn(std::chrono::nanoseconds duration) { clock_.fake().Advance(duration); }
  Seconds Now() { return clock_.SteadyNow() - began_; }

  // Logs in and begins the upkeep, which asks for the leader first.
  void BeginUpkeep() {
    auto token = session_->Token(Soon());
    ASSERT_TRUE(token) << token.error().reason();
    session_->Accepted(*token);
    TurnUntil("leader", 1);
    ASSERT_TRUE(WaitersAre(1));
  }

  // Turns the clock from one moment that the upkeep waits for to the next until the `count`-th
  // request of that kind; says when that came.
  Seconds TurnUntil(const std::string& kind, int count) {
    EXPECT_TRUE(Eventually([&] {
      if (Count(kind) >= count) return true;
      clock_.fake().AdvanceToNextDeadline();
      return false;
    })) << "there is no request number "
        << count << " of " << kind;
    for (const Request& request : Seen()) {
      if (request.kind == kind && --count == 0) return request.at;
    }
    return Seconds(-1);
  }

  // Whether so many threads come to wait for the clock.
  bool WaitersAre(std::size_t count) {
    return Eventually([&] { return clock_.fake().waiting() == count; });
  }

  int Count(const std::string& kind) const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count(seen_, kind, &Request::kind));
  }
  std::vector<Request> Seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  // From now on logins are not answered until Release().
  void HoldLogins() {
    const std::lock_guard lock(mutex_);
    holds_logins_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    holds_logins_ = false;
    released_.notify_all();
  }

  // What each of `count` threads got that ask at once: all but the one that logs in wait before the
  // server answers.
  std::vector<std::string> AskAtOnce(std::size_t count, const std::function<std::string()>& ask) {
    HoldLogins();
    const std::size_t waiting = clock_.fake().waiting();
    std::vector<std::string> answers(count);
    {
      std::vector<std::jthread> threads;
      for (std::string& answer : answers) threads.emplace_back([&] { answer = ask(); });
      EXPECT_TRUE(WaitersAre(waiting + count - 1)) << "others do not wait for the login";
      Release();
    }
    return answers;
  }

  FakeClockAhead clock_;
  const Clock::SteadyTime began_ = clock_.SteadyNow();

 private:
  // Gives up after some real seconds.
  static bool Eventually(const std::function<bool()>& is_true) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_true()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  LocalAnswer Answer(const LocalRequest& request) {
    std::string kind = request.path.substr(request.path.rfind('/') + 1);
    if (request.path.find("/login") != std::string::npos) kind = "login";
    const auto token = request.headers.find("x-vault-token");
    std::unique_lock lock(mutex_);
    seen_.push_back({.kind = kind,
                     .token = token == request.headers.end() ? "" : token->second,
                     .body = request.body,
                     .at = Now()});
    const auto nth = static_cast<std::size_t>(std::ranges::count(seen_, kind, &Request::kind));
    if (kind == "login") released_.wait(lock, [this] { return !holds_logins_; });
    const auto answers = script_.find(kind);
    if (answers == script_.end()) return Refusal(404);
    return answers->second[std::min(nth, answers->second.size()) - 1];
  }

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable released_;
  bool holds_logins_ = false;
  std::vector<Request> seen_;
  Script script_;

  LocalServer server_{[this](const LocalRequest& request) { return Answer(request); }};

 protected:
  std::unique_ptr<vault::VaultSettings> settings_;
  std::unique_ptr<vault::Api> api_;
  std::unique_ptr<vault::Session> session_;
};

}  // namespace qarion::secrets::test
