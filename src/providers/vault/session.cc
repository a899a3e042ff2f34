#include "providers/vault/session.h"

#include <algorithm>
#include <system_error>

#include "core/join.h"
#include "core/secret_memory.h"
#include "core/thread.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// When the upkeep begins after the first use of a token: commands that end at once never get there.
constexpr milliseconds kFirstUpkeep{500};
constexpr seconds kUpkeepTimeout{10};
constexpr seconds kLookUpRetry{5};
constexpr seconds kFirstRefusalPause{5};
constexpr seconds kFirstFailurePause{1};
constexpr seconds kLongestRefusalPause{300};
constexpr milliseconds kShortestRetry{200};
constexpr seconds kLongestRetry{60};
constexpr seconds kShortestLease{1};
// Of its first lease; what a renewal leaves below that is not worth another one.
constexpr double kWorthRenewing = 0.3;

nanoseconds Part(nanoseconds whole, double part) {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * part));
}

nanoseconds NextPause(nanoseconds pause, nanoseconds first = kFirstRefusalPause) {
  return std::clamp<nanoseconds>(pause * 2, first, kLongestRefusalPause);
}

}  // namespace

Session::Session(const VaultSettings& settings, Api& api, Clock& clock,
                 std::unique_ptr<core::Random> random, std::function<void(std::string_view)> log)
    : settings_(settings),
      api_(api),
      clock_(clock),
      log_(std::move(log)),
      login_(settings, api, clock, log_),
      random_(std::move(random)) {}

Session::~Session() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
    changed_.notify_all();
  }
  stop_.request_stop();
}

HeldToken Session::Held() const { return {state_->grant.token.Share(), state_->number}; }

void Session::Hold(Grant grant, SteadyTime asked_at) {
  State state{.number = ++count_, .first_lease = grant.lease};
  if (grant.lease > seconds::zero()) state.expires_at = asked_at + grant.lease;
  state.grant = std::move(grant);
  state_ = std::move(state);
  upkeep_failures_ = 0;
  last_problem_.clear();
  PlanUpkeep(asked_at);
}

// From the moment the present lease began, decides when what is next.
void Session::PlanUpkeep(SteadyTime now) {
  upkeep_at_.reset();
  logs_in_ahead_ = false;
  const Grant& grant = state_->grant;
  if (NeedsLookUp()) {
    upkeep_at_ = now + kFirstUpkeep;
  } else if (grant.lease > seconds::zero() && grant.uses_left == 0) {
    // Without another way to a token every renewal is worth while, the first one however little is
    // left.
    const bool is_worth_renewing =
        grant.is_renewable &&
        (login_.CanRepeat() ? grant.lease > Part(state_->first_lease, kWorthRenewing)
                            : !state_->was_renewed || grant.lease > kShortestLease);
    if (is_worth_renewing) {
      upkeep_at_ = now + Part(grant.lease, 0.5 + random_->Uniform() / 6);
    } else if (login_.CanRepeat()) {
      logs_in_ahead_ = true;
      upkeep_at_ = now + Part(grant.lease, 0.6 + random_->Uniform() / 5);
    }
  }
  changed_.notify_all();
}

// After a failure, while the token still lives.
void Session::PlanRetry(SteadyTime now) {
  upkeep_at_.reset();
  if (!state_ || !state_->expires_at || now >= *state_->expires_at) return;
  const nanoseconds pause =
      std::clamp<nanoseconds>(Part(*state_->expires_at - now, 0.25), kShortestRetry, kLongestRetry);
  upkeep_at_ = now + Part(pause, 0.5 + random_->Uniform() / 2);
}

Result<HeldToken> Session::Token(const Call& call) {
  std::uint64_t expired = 0;
  {
    const std::lock_guard lock(mutex_);
    const bool lives = state_ && (!state_->expires_at || clock_.SteadyNow() < *state_->expires_at);
    if (lives) return Held();
    if (state_) expired = state_->number;
  }
  return LogIn(expired, call);
}

Result<HeldToken> Session::LogIn(std::uint64_t instead_of, const Call& call) {
  {
    const std::stop_callback wake(call.stop, [this] {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
    Lock lock(mutex_);
    clock_.WaitUntil(lock, changed_, call.deadline,
                     [&] { return !logs_in_ || call.stop.stop_requested(); });
    if (state_ && state_->number > instead_of) return Held();  // somebody else did
    if (logs_in_) {
      return Error(ErrorCode::kUnavailable, "another thread's login took too long")
          .Cure("see the state of the server");
    }
    logs_in_ = true;
  }
  struct Turn {
    Session& session;
    ~Turn() {
      const std::lock_guard lock(session.mutex_);
      session.logs_in_ = false;
      session.changed_.notify_all();
    }
  };
  const Turn turn{*this};
  return LogInAlone(call);
}

Result<HeldToken> Session::LogInAlone(const Call& call) {
  const SteadyTime asked_at = clock_.SteadyNow();
  if (refusal_ && asked_at < refused_until_ && login_.IsKnownToBeRefused()) return *refusal_;
  auto grant = login_.Run(call);
  if (!grant) {
    if (login_.was_refused()) {
      refusal_ = grant.error();
      refusal_pause_ = NextPause(refusal_pause_,
                                 refusal_->IsTransient() ? kFirstFailurePause : kFirstRefusalPause);
      refused_until_ = clock_.SteadyNow() + refusal_pause_;
    }
    return std::move(grant).error();
  }
  refusal_.reset();
  refusal_pause_ = {};
  const std::lock_guard lock(mutex_);
  Hold(std::move(*grant), asked_at);
  return Held();
}

Result<std::optional<HeldToken>> Session::Replace(const HeldToken& refused, const Call& call) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ && state_->number > refused.number) return std::optional(Held());
    if (clock_.SteadyNow() < no_replacement_until_ || !login_.CanRepeat()) {
      return std::optional<HeldToken>();
    }
  }
  if (settings_.auth.method == AuthMethod::kToken) {
    auto in_file = settings_.auth.token.ReadToken();
    if (!in_file) return std::move(in_file).error();
    if (in_file->ConstantTimeEquals(refused.value)) return std::optional<HeldToken>();
  }
  auto token = LogIn(refused.number, call);
  if (!token) return std::move(token).error();
  return std::optional(std::move(*token));
}

void Session::Accepted(const HeldToken& token) {
  const std::lock_guard lock(mutex_);
  no_replacement_until_ = {};
  replacement_pause_ = {};
  if (!state_ || state_->number != token.number) return;
  if (upkeep_.joinable()) return;
  try {
    upkeep_ = core::StartThread([this] { Upkeep(); });
  } catch (const std::system_error&) {
    last_problem_ = "the system gives no thread to renew the token in";  // until the next read
  }
}

void Session::Rejected(const HeldToken& token) {
  const std::lock_guard lock(mutex_);
  if (!state_ || state_->number != token.number) return;
  replacement_pause_ = NextPause(replacement_pause_);
  no_replacement_until_ = clock_.SteadyNow() + replacement_pause_;
}

Status Session::LookUp(const Call& call) {
  std::optional<HeldToken> token;
  {
    const std::lock_guard lock(mutex_);
    if (!state_ || !NeedsLookUp()) return {};
    token = Held();
  }
  const SteadyTime asked_at = clock_.SteadyNow();
  auto answer = api_.Send(
      {.path = "auth/token/lookup-self", .token = &token->value, .repeats = Repeats::kInTurn},
      call);
  if (!answer) return std::move(answer).error();
  const std::lock_guard lock(mutex_);
  if (!state_ || state_->number != token->number) return {};
  if (answer->status == 429 || answer->status >= 500) {
    return Error(ErrorCode::kUnavailable,
                 "looking the token up failed (" + std::to_string(answer->status) + ")")
        .Cure("see the state of the server");
  }
  if (answer->status != 200) {
    // Tokens without the default policy may not ask. What cannot be known is not asked again.
    state_->may_look_up = false;
    return Error(ErrorCode::kNotPermitted,
                 "the token may not look itself up (" + std::to_string(answer->status) + ")")
        .Cure("give it the default policy if it is to be renewed");
  }
  state_->grant = GrantFromLookup((*answer)["data"], token->value);
  // What is left of its first lease; a renewal may well bring more.
  state_->first_lease = state_->grant.lease;
  if (state_->grant.lease > seconds::zero()) state_->expires_at = asked_at + state_->grant.lease;
  PlanUpkeep(asked_at);
  return {};
}

Call Session::UpkeepCall() const {
  return {.deadline = clock_.SteadyNow() + kUpkeepTimeout, .stop = stop_.get_token()};
}

void Session::Upkeep() {
  Lock lock(mutex_);
  learn_at_ = clock_.SteadyNow() + kFirstUpkeep;
  const auto next = [this] {
    return !learn_at_ || (upkeep_at_ && *upkeep_at_ < *learn_at_) ? upkeep_at_ : learn_at_;
  };
  while (!stops_) {
    const auto planned = next();
    const SteadyTime until = planned.value_or(clock_.SteadyNow() + std::chrono::hours(24));
    clock_.WaitUntil(lock, changed_, until, [&] { return stops_ || next() != planned; });
    if (stops_) return;
    const SteadyTime now = clock_.SteadyNow();
    if (learn_at_ && now >= *learn_at_) {
      learn_at_.reset();
      lock.unlock();
      LearnLeader();
      lock.lock();
    } else if (upkeep_at_ && now >= *upkeep_at_) {
      DoUpkeep(lock);
    } else {
      continue;
    }
    core::WipeTraces();  // buffers of libcurl hold earlier answers, which pass through registers
    const std::string line = std::exchange(to_log_, "");
    if (line.empty()) continue;
    lock.unlock();  // who receives it may ask for the status
    log_(line);
    lock.lock();
  }
}

void Session::LearnSoon() {
  const std::lock_guard lock(mutex_);
  if (!learn_at_) learn_at_ = clock_.SteadyNow() + kFirstUpkeep;
  changed_.notify_all();
}

// Called with `lock`, which it gives up while it talks to the server.
void Session::DoUpkeep(Lock& lock) {
  upkeep_at_.reset();
  if (!state_) return;
  if (NeedsLookUp()) {
    lock.unlock();
    Status known = LookUp(UpkeepCall());
    lock.lock();
    if (known || stops_ || !state_) return;
    Report(known.error().reason());
    if (NeedsLookUp()) upkeep_at_ = clock_.SteadyNow() + kLookUpRetry;
  } else if (logs_in_ahead_) {
    LogInAhead(lock);
  } else {
    Renew(lock);
  }
}

void Session::Renew(Lock& lock) {
  const HeldToken token = Held();
  lock.unlock();
  const SteadyTime asked_at = clock_.SteadyNow();
  auto answer = api_.Send({.method = "POST",
                           .path = "auth/token/renew-self",
                           .body = Secret::CopyOf("{}"),
                           .token = &token.value,
                           .repeats = Repeats::kInTurn},
                          UpkeepCall());
  lock.lock();
  if (stops_ || !state_ || state_->number != token.number) return;

  // Only 200 with `auth` is a renewal: the server also answers 204 where it did nothing.
  auto grant = answer && answer->status == 200 ? GrantFromAuth((*answer)["auth"]) : std::nullopt;
  if (grant) {
    if (std::exchange(upkeep_failures_, 0) > 0) to_log_ = "the token is renewed again";
    last_problem_.clear();
    state_->was_renewed = true;
    state_->grant.lease = grant->lease;
    state_->grant.is_renewable = grant->is_renewable;
    state_->grant.policies = std::move(grant->policies);
    state_->expires_at.reset();
    if (grant->lease > seconds::zero()) state_->expires_at = asked_at + grant->lease;
    PlanUpkeep(asked_at);
    return;
  }
  const bool may_pass =
      !answer || answer->status == 429 || answer->status == 412 || answer->status >= 502;
  Report("the token could not be renewed: " +
         (answer ? std::to_string(answer->status) + ", " + answer->Errors()
                 : answer.error().reason()));
  PlanRetry(clock_.SteadyNow());
  // A definite refusal stays one: what helps is another login, while this token still serves.
  if (may_pass) return;
  if (login_.CanRepeat()) {
    logs_in_ahead_ = true;
    LogInAhead(lock);
  } else if (answer->status < 500) {
    upkeep_at_.reset();
  }
}

void Session::LogInAhead(Lock& lock) {
  const HeldToken old = Held();
  lock.unlock();
  Result<std::optional<HeldToken>> replaced = Replace(old, UpkeepCall());
  lock.lock();
  if (stops_ || !state_ || state_->number != old.number) return;  // done
  if (!replaced) Report("a new login failed: " + replaced.error().reason());
  logs_in_ahead_ = true;
  PlanRetry(clock_.SteadyNow());
}

// Logs the first failure of several.
void Session::Report(const std::string& problem) {
  last_problem_ = problem;
  if (upkeep_failures_++ == 0) to_log_ = problem;
}

// So that a later redirect to the server that leads now can be followed.
void Session::LearnLeader() {
  auto answer = api_.Send({.path = "sys/leader", .has_namespace = false}, UpkeepCall());
  if (!answer || answer->status != 200) return;
  if (const auto leader = (*answer)["leader_address"].Text()) api_.Learn(*leader);
}

std::optional<Grant> Session::grant() const {
  const std::lock_guard lock(mutex_);
  if (!state_) return std::nullopt;
  const Grant& grant = state_->grant;
  return Grant{.accessor = grant.accessor,
               .policies = grant.policies,
               .lease = grant.lease,
               .is_renewable = grant.is_renewable,
               .uses_left = grant.uses_left,
               .is_known = grant.is_known};
}

std::optional<seconds> Session::expires_in() const {
  const std::lock_guard lock(mutex_);
  if (!state_ || !state_->expires_at) return std::nullopt;
  return duration_cast<seconds>(*state_->expires_at - clock_.SteadyNow());
}

std::string Session::Identity() const {
  const auto held = grant();
  if (!held) return "nobody";
  std::string text = "the " + login_.Describe();
  if (settings_.auth.method != AuthMethod::kToken)
    text = "the token of the login by " + login_.Describe();
  if (!held->accessor.empty()) text += ", accessor " + held->accessor;
  if (!held->policies.empty()) text += ", policies " + core::Join(held->policies);
  return text;
}

std::vector<std::pair<std::string, std::string>> Session::Describe() const {
  std::vector<std::pair<std::string, std::string>> lines = {{"login", login_.Describe()}};
  const auto held = grant();
  if (!held) return lines;
  if (!held->accessor.empty()) lines.emplace_back("token accessor", held->accessor);
  if (!held->policies.empty()) lines.emplace_back("token policies", core::Join(held->policies));
  if (held->uses_left > 0)
    lines.emplace_back("token uses", std::to_string(held->uses_left) + " left at the latest look");
  if (const auto left = expires_in()) {
    lines.emplace_back("token expires",
                       "in " + std::to_string(std::max<std::int64_t>(left->count(), 0)) + " s");
  } else if (held->is_known) {
    lines.emplace_back("token expires", "never");
  } else {
    lines.emplace_back("token expires", "not known");
  }
  const std::lock_guard lock(mutex_);
  if (upkeep_at_ && state_ && !NeedsLookUp()) {
    const auto in = duration_cast<seconds>(*upkeep_at_ - clock_.SteadyNow());
    lines.emplace_back(logs_in_ahead_ ? "next login" : "next renewal",
                       "in " + std::to_string(std::max<std::int64_t>(in.count(), 0)) + " s");
  }
  if (!last_problem_.empty()) lines.emplace_back("token problem", last_problem_);
  return lines;
}

}  // namespace qarion::secrets::vault
