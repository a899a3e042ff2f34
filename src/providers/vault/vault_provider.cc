#include "providers/vault/vault_provider.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "providers/client_provider.h"
#include "providers/vault/api.h"
#include "providers/vault/doctor.h"
#include "providers/vault/kv.h"
#include "providers/vault/session.h"

namespace qarion::secrets::vault {
namespace {

// All that belongs to one process: connections, a token, what was found out.
class Client {
 public:
  Client(const VaultSettings& settings, Clock& clock,
         const std::function<void(std::string_view)>& log)
      : settings_(settings),
        clock_(clock),
        api_(settings_, clock, settings_.is_traced ? log : nullptr),
        session_(settings_, api_, clock, std::make_unique<core::SystemRandom>(), log) {}

  Result<Payload> Fetch(const std::string& /*known_version*/, const Call& call) {
    auto payload = FetchOnce(call);
    if (api_.TakeUnknownRedirect()) session_.LearnSoon();
    return payload;
  }

  std::vector<Secret> Credentials() const { return session_.login().Held(); }

  std::vector<std::pair<std::string, std::string>> Describe() const {
    std::vector<std::pair<std::string, std::string>> lines = {{"address", api_.address()}};
    for (auto& line : session_.Describe()) lines.push_back(std::move(line));
    return lines;
  }

  Diagnosis Diagnose(const Call& call) { return Examine(settings_, api_, session_, clock_, call); }

 private:
  Result<Payload> FetchOnce(const Call& call) {
    auto token = session_.Token(call);
    if (!token) return std::move(token).error();
    auto answer = Read(*token, call);
    if (!answer) return std::move(answer).error();
    if (IsRefused(*answer)) {
      // The token may have ended behind our back: one more login, one more read.
      auto other = session_.Replace(*token, call);
      if (!other) return std::move(other).error();
      if (*other) {
        token = std::move(**other);
        answer = Read(*token, call);
        if (!answer) return std::move(answer).error();
        if (IsRefused(*answer)) session_.Rejected(*token);
      }
    }
    if (answer->status == 200) session_.Accepted(*token);
    // A token that lives may say whom it belongs to.
    if (IsRefused(*answer) && answer->IsAboutPolicies()) static_cast<void>(session_.LookUp(call));
    return PayloadFromRead(*answer, reading_, settings_.version, session_.Identity(),
                           clock_.SystemNow());
  }

  static bool IsRefused(const ApiAnswer& answer) {
    return answer.status == 403 || answer.status == 401;
  }

  // Reads the secret, wherever its mount ends.
  Result<ApiAnswer> Read(const HeldToken& token, const Call& call) {
    bool is_guess = !target_;
    if (!target_ && !TargetFromDataPath(settings_.path)) {
      auto found = FindMount(token, call);
      if (!found) return std::move(found).error();
      reading_ = std::move(*found);
      is_guess = false;
    } else {
      reading_ = target_.value_or(Guess());
    }
    auto answer = ReadTarget(token, call);
    if (answer && is_guess && MayBeOnAnotherMount(*answer)) {
      auto found = FindMount(token, call);
      if (!found) return std::move(found).error();
      if (*found != reading_) {
        reading_ = std::move(*found);
        answer = ReadTarget(token, call);
      }
    }
    if (answer && answer->status == 200) target_ = reading_;
    return answer;
  }

  Result<ApiAnswer> ReadTarget(const HeldToken& token, const Call& call) {
    ApiRequest request{.path = reading_.DataPath(), .token = &token.value};
    const auto grant = session_.grant();
    if (grant && grant->uses_left > 0) request.repeats = Repeats::kInTurn;  // each costs a use
    if (settings_.version != 0) request.query = "version=" + std::to_string(settings_.version);
    return api_.Send(request, call);
  }

  // Asks the server, as its own command line does.
  Result<KvTarget> FindMount(const HeldToken& token, const Call& call) {
    auto answer = api_.Send(
        {.path = "sys/internal/ui/mounts/" + settings_.path, .token = &token.value}, call);
    if (!answer) return std::move(answer).error();
    auto found = TargetFromMount(*answer, settings_.path);
    if (!found) return std::move(found).error();
    return found->value_or(Guess());
  }

  // Where the server does not tell, the mount ends before data/ or is the first part of the path.
  KvTarget Guess() const {
    if (auto target = TargetFromDataPath(settings_.path)) return std::move(*target);
    const std::size_t slash = settings_.path.find('/');
    return {.mount = settings_.path.substr(0, slash), .name = settings_.path.substr(slash + 1)};
  }

  const VaultSettings& settings_;
  Clock& clock_;
  Api api_;
  Session session_;
  std::optional<KvTarget> target_;  // where a read succeeded
  KvTarget reading_;                // where the latest one went
};

}  // namespace

Result<std::unique_ptr<SecretProvider>> CreateVaultProvider(
    const SettingLookup& lookup, Clock& clock, const std::function<void(std::string_view)>& log) {
  return MakeProvider<Client>(LoadVaultSettings(lookup), clock, log);
}

}  // namespace qarion::secrets::vault
