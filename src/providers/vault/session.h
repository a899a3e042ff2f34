// One identity at the server: holds a token, keeps it alive, logs in again where that ends.
//
// The life of a token: used from its login on; renewed when half to two thirds of its lease are
// over; where a renewal brings little more (its maximum is near) or fails for good, replaced by
// another login while it is still valid. A token that may be used a limited number of times is
// neither looked up nor renewed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/random.h"
#include "providers/vault/api.h"
#include "providers/vault/login.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::vault {

// A token in use. `number` counts the tokens of a session.
struct HeldToken {
  Secret value;
  std::uint64_t number = 0;
};

// Thread-safety: every member from several threads; one of them logs in, the others wait for it.
class Session {
 public:
  // `settings`, `api` and `clock` outlive it. `log`: see RuntimeOptions.
  Session(const VaultSettings& settings, Api& api, Clock& clock,
          std::unique_ptr<core::Random> random, std::function<void(std::string_view)> log);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The token to use now; logs in where there is none or it expired. Errors: see Login::Run.
  Result<HeldToken> Token(const Call& call);

  // The server refused `refused` (403): gives another token where there can be one, after one
  // login. Nothing where there is none: no way to log in again, or it was tried in vain just now.
  Result<std::optional<HeldToken>> Replace(const HeldToken& refused, const Call& call);

  // Says whether a token was of use, after it was. The first success begins the upkeep in the
  // background.
  void Accepted(const HeldToken& token);
  void Rejected(const HeldToken& token);

  // Asks the server about the token in use, if it is not known. Uses it once.
  Status LookUp(const Call& call);

  // A redirect led to a server that is not known: asks in the background who leads the cluster, so
  // that a later one can be followed. Does nothing before the first success.
  void LearnSoon();

  // "the token with accessor X and policies a, b", as far as it is known.
  std::string Identity() const;
  const Login& login() const noexcept { return login_; }
  std::optional<Grant> grant() const;  // of the token in use
  std::optional<std::chrono::seconds> expires_in() const;

  // For `status`: names and texts.
  std::vector<std::pair<std::string, std::string>> Describe() const;

 private:
  using SteadyTime = Clock::SteadyTime;
  using Lock = std::unique_lock<std::mutex>;

  struct State {
    Grant grant;
    std::uint64_t number = 0;
    std::chrono::seconds first_lease{};
    std::optional<SteadyTime> expires_at;
    bool may_look_up = true;  // it was not refused that
    bool was_renewed = false;
  };

  bool NeedsLookUp() const { return !state_->grant.is_known && state_->may_look_up; }
  void Hold(Grant grant, SteadyTime asked_at);  // with mutex_ held
  Result<HeldToken> LogIn(std::uint64_t instead_of, const Call& call);
  Result<HeldToken> LogInAlone(const Call& call);
  HeldToken Held() const;  // with mutex_ held; there is one
  void PlanUpkeep(SteadyTime now);
  void PlanRetry(SteadyTime now);

  void Upkeep();
  void DoUpkeep(Lock& lock);
  void Renew(Lock& lock);
  void LogInAhead(Lock& lock);
  void Report(const std::string& problem);
  void LearnLeader();
  Call UpkeepCall() const;

  const VaultSettings& settings_;
  Api& api_;
  Clock& clock_;
  const std::function<void(std::string_view)> log_;

  // Of the thread that logs in.
  Login login_;
  SteadyTime refused_until_{};  // not to offer refused credentials before
  std::chrono::nanoseconds refusal_pause_{};
  std::optional<Error> refusal_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::unique_ptr<core::Random> random_;
  std::optional<State> state_;
  std::uint64_t count_ = 0;
  bool logs_in_ = false;  // one thread does
  SteadyTime no_replacement_until_{};
  std::chrono::nanoseconds replacement_pause_{};
  bool stops_ = false;
  bool logs_in_ahead_ = false;           // what the upkeep does next, else it renews
  std::optional<SteadyTime> upkeep_at_;  // and when
  std::optional<SteadyTime> learn_at_;   // when it asks who leads
  int upkeep_failures_ = 0;
  std::string last_problem_;  // of the upkeep; empty after a success
  std::string to_log_;

  std::stop_source stop_;
  std::jthread upkeep_;  // last: uses all of the above
};

}  // namespace qarion::secrets::vault
