#include "providers/vault/doctor.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "core/json_writer.h"
#include "core/thread.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::seconds;

// Beyond what logins with signed tokens commonly allow.
constexpr seconds kTolerableSkew{30};
constexpr seconds kSoon{3600};
constexpr seconds kLongestProbe{10};

class Examiner : private ExaminerBase {
 public:
  Examiner(const VaultSettings& settings, Api& api, Session& session, const Clock& clock,
           const Call& call)
      : settings_(settings), api_(api), session_(session), clock_(clock), call_(call) {}

  Diagnosis Run() {
    LookAtSettings();
    if (AnyAddressServes() && LogIn() && LookAtToken() && !HasFewUses()) LookAtSecret();
    return Done();
  }

 private:
  void LookAtSettings() {
    if (!settings_.tls.is_verified) {
      Warn("VAULT_SKIP_VERIFY", "is true: whoever answers at the address gets the token",
           "leave it out, and name the server's authority in VAULT_CACERT");
    }
    for (const Address& address : settings_.addresses) {
      const auto url = net::ParseUrl(address.url);
      if (url && url->scheme == "http" && address.unix_socket.empty() && !net::IsLoopback(*url)) {
        Warn(settings_.address_setting,
             address.shown + " is not https: token and secrets can be read on the way",
             "let the server speak TLS, and write https://");
      }
    }
    for (const std::string& setting : settings_.ignored) {
      Warn(setting, "has no effect here: what is read is never wrapped", "leave it out");
    }
  }

  // Side by side, because one that hangs must not keep the others from being asked.
  std::vector<Result<ApiAnswer>> AskForHealth() {
    const auto deadline = std::min<Clock::SteadyTime>(
        call_.deadline,
        clock_.SteadyNow() + std::min<std::chrono::nanoseconds>(kLongestProbe, settings_.timeout));
    std::vector<Result<ApiAnswer>> answers;
    for (std::size_t i = 0; i < api_.address_count(); ++i) {
      answers.emplace_back(Error(ErrorCode::kInternal, "was not asked"));
    }
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      threads.push_back(core::StartThread([this, i, deadline, &answer = answers[i]] {
        answer = api_.SendTo(i, {.path = "sys/health", .has_namespace = false},
                             {.deadline = deadline, .stop = call_.stop});
      }));
    }
    threads.clear();
    return answers;
  }

  bool AnyAddressServes() {
    std::vector<Finding> failures;
    const auto answers = AskForHealth();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (auto failure = LookAtHealth(answers[i], api_.address(i).shown)) {
        failures.push_back(std::move(*failure));
      }
    }
    const bool any_serves = failures.size() < answers.size();
    for (Finding& failure : failures) {
      // One of several that is down is worth knowing, and no reason to fail.
      if (any_serves) failure.severity = Severity::kWarning;
      Add(failure.severity, failure.subject, failure.problem, failure.cure);
    }
    return any_serves;
  }

  // What is wrong with the server at one address, if anything.
  std::optional<Finding> LookAtHealth(const Result<ApiAnswer>& answer, const std::string& shown) {
    const auto failure = [&](std::string problem, std::string cure) {
      return Finding{Severity::kError, shown, std::move(problem), std::move(cure)};
    };
    if (!answer) return failure(answer.error().reason(), answer.error().cure());
    LookAtDate(*answer, shown);
    const auto version = (*answer)["version"].Text();
    // A quota answers so too, and tells nothing of the server's state.
    const bool is_throttled = answer->status == 429 && !(*answer)["standby"].exists();
    Detail("server " + shown,
           (is_throttled ? "not told, because of a rate limit" : StateOf(answer->status)) +
               (version ? ", version " + std::string(*version) : ""));
    switch (answer->status) {
      case 200:
      case 429:  // a standby
      case 473: break;
      case 472:
        return failure("is a secondary for disaster recovery, which serves no reads",
                       "name the address of a server that does");
      case 501: return failure("is not initialised", "initialise it: bao operator init");
      case 503: return failure("is sealed", "unseal it: bao operator unseal");
      case 474: return failure("is a standby that lost its leader", "see the state of the cluster");
      case 530: return failure("was removed from its cluster", "leave its address out");
      default: {
        if (answer->status == 403 || answer->status == 404) break;  // a proxy may hide it
        const Error error = ErrorOf(*answer, "asking for its health");
        return failure(error.reason(), error.cure());
      }
    }
    if (answer->status == 200 && !(*answer)["initialized"].exists()) {
      return failure("does not answer as a Vault or OpenBao server does",
                     "see that " + settings_.address_setting + " is the address of its API");
    }
    return std::nullopt;
  }

  // As the server's status codes for its health say it.
  static std::string StateOf(int status) {
    switch (status) {
      case 200: return "active";
      case 429: return "standby";
      case 472: return "disaster recovery secondary";
      case 473: return "performance standby";
      case 474: return "standby without its leader";
      case 501: return "not initialised";
      case 503: return "sealed";
      case 530: return "removed from its cluster";
      default: return "status " + std::to_string(status);
    }
  }

  void LookAtDate(const ApiAnswer& answer, const std::string& shown) {
    if (!answer.date) return;
    const auto skew = std::chrono::duration_cast<seconds>(clock_.SystemNow() - *answer.date);
    if (skew <= kTolerableSkew && skew >= -kTolerableSkew) return;
    Warn(shown,
         "its clock is " + std::to_string(std::abs(skew.count())) + " s " +
             (skew > seconds::zero() ? "behind" : "ahead of") + " this machine's",
         "let both keep time (NTP): tokens that carry times are refused otherwise");
  }

  bool LogIn() {
    auto token = session_.Token(call_);
    if (token) return true;
    Fail(settings_.auth.method == AuthMethod::kToken ? "VAULT_TOKEN" : "login", token.error());
    return false;
  }

  bool LookAtToken() {
    Status known = session_.LookUp(call_);
    if (!known && known.error().IsTransient()) {
      Fail("token", known.error());
      return false;
    }
    const auto grant = session_.grant();
    if (!grant) return false;
    if (std::ranges::find(grant->policies, "root") != grant->policies.end()) {
      Warn("token", "has the policy root, which may do anything",
           "give the service a token that may read its secret and nothing else");
    }
    const auto left = session_.expires_in();
    if (left && *left < kSoon && !grant->is_renewable &&
        settings_.auth.method == AuthMethod::kToken) {
      Warn("token", "ends in " + std::to_string(left->count()) + " s and cannot be renewed",
           "use a renewable token, or a login that can be repeated");
    }
    return true;
  }

  bool HasFewUses() const {
    const auto grant = session_.grant();
    return grant && grant->uses_left > 0;
  }

  void LookAtSecret() {
    auto token = session_.Token(call_);
    if (!token) return;
    const auto grant = session_.grant();
    const auto guess = TargetFromDataPath(settings_.path);
    const std::string path = guess ? guess->DataPath() : settings_.path;
    auto mount = api_.Send({.path = "sys/internal/ui/mounts/" + settings_.path,
                            .token = &token->value,
                            .repeats = Repeats::kInTurn},
                           call_);
    std::string data_path = path;
    bool knows_mount = false;
    if (mount) {
      auto target = TargetFromMount(*mount, settings_.path);
      if (!target) return Fail("VAULT_SECRET_PATH", target.error());
      if (*target) {
        data_path = (**target).DataPath();
        knows_mount = true;
      }
    }
    core::JsonWriter json;
    json.BeginObject().Key("paths").BeginArray().Text(data_path).EndArray().EndObject();
    auto capabilities = api_.Send({.method = "POST",
                                   .path = "sys/capabilities-self",
                                   .body = std::move(json).Take(),
                                   .token = &token->value,
                                   .repeats = Repeats::kInTurn},
                                  call_);
    if (!capabilities || capabilities->status != 200) return;  // it may not ask; the read will tell
    const auto granted = (*capabilities)["data"][data_path].Elements();
    const bool may_read = std::ranges::any_of(granted, [](const core::JsonValue& capability) {
      const auto text = capability.Text().value_or("");
      return text == "read" || text == "root";
    });
    if (may_read) return;
    Add(Severity::kError, "token",
        "lacks the capability read on " + data_path + ": it is " + session_.Identity(),
        "give it a policy with: path \"" + data_path + "\" { capabilities = [\"read\"] }" +
            (guess || knows_mount
                 ? ""
                 : "; if that is not the path, write it with data/ after the mount"));
  }

  const VaultSettings& settings_;
  Api& api_;
  Session& session_;
  const Clock& clock_;
  const Call call_;
};

}  // namespace

Diagnosis Examine(const VaultSettings& settings, Api& api, Session& session, const Clock& clock,
                  const Call& call) {
  return Examiner(settings, api, session, clock, call).Run();
}

}  // namespace qarion::secrets::vault
