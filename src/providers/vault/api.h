// Calls of the server's HTTP API, at whichever of its addresses answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "net/call.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "net/srv.h"
#include "providers/vault/answer.h"
#include "providers/vault/race.h"
#include "providers/vault/rate_limiter.h"
#include "providers/vault/vault_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::vault {

// How often servers may see a request.
enum class Repeats {
  kFreely,  // reads: also several servers at once
  kInTurn,  // logins and renewals: one after the other
  kNever,   // what uses something up: not once a server may have read it
};

struct ApiRequest {
  std::string method = "GET";
  std::string path;   // below /v1/, not encoded
  std::string query;  // encoded, or empty
  Secret body;        // JSON, or empty
  // X-Vault-Token, or null. Valid during the call.
  const Secret* token = nullptr;
  bool has_namespace = true;
  Repeats repeats = Repeats::kFreely;
  // Secrets that an answer may quote, beside the token, the body and its members.
  std::vector<Secret> hidden = {};
};

using net::Call;

// Looks a service up; see net::LookUpSrv.
using SrvLookup =
    std::function<net::SrvAnswer(const std::string& name, std::chrono::milliseconds time)>;

// Thread-safety: every member from several threads.
class Api {
 public:
  // `settings` and `clock` outlive it. `trace` receives a line for each exchange; may be empty.
  Api(const VaultSettings& settings, Clock& clock,
      const std::function<void(std::string_view)>& trace, SrvLookup look_up_srv = net::LookUpSrv);

  // Asks the address that answered last, then the others in order where one does not answer, is
  // sealed or knows no leader, those last that were silent before; and all of them again as the
  // retry policy has it. One that is slow is not given up: the next is asked beside it. Every
  // definite answer is a success here, whatever its status. A redirect is followed once, and only
  // to a host of the cluster: the token goes nowhere else. Errors as HttpClient's; kUnavailable
  // where no address answers, or something answers that is not the server.
  Result<ApiAnswer> Send(const ApiRequest& request, const Call& call);

  // Asks one address by its number, once. Whatever answers is a success.
  Result<ApiAnswer> SendTo(std::size_t address, const ApiRequest& request, const Call& call);

  // A further address of the cluster, as a server that was asked for it said: redirects may lead
  // there.
  void Learn(std::string_view address);

  // Whether a redirect was refused since this was asked last, because it led to an unknown host.
  bool TakeUnknownRedirect() noexcept { return saw_unknown_redirect_.exchange(false); }

  // The address that answered last.
  std::string address() const;
  std::size_t address_count() const noexcept { return nodes_.size(); }
  const Address& address(std::size_t index) const { return settings_.addresses[index]; }

 private:
  struct Node {
    const Address* address;
    std::unique_ptr<net::HttpClient> client;
    // How often in a row it gave no answer at all.
    std::atomic<int> silences = 0;
    std::atomic<std::chrono::milliseconds> usual_time{};  // that an answer takes
    // What its SRV records say, if it is to be looked up; under mutex_.
    std::optional<net::SrvTarget> service;
    Clock::SteadyTime service_until{};
  };
  // Where to send a request.
  struct Target {
    std::string url;
    std::string host;  // to name to the server where that is another one, else empty
  };

  class Round;

  Target TargetOf(Node& node, const Call& call);
  net::HttpRequest Compose(const ApiRequest& request, const Target& target) const;
  std::vector<Secret> CredentialsOf(const ApiRequest& request) const;
  std::vector<std::size_t> Order() const;
  std::optional<Error> WaitForTurn(const Call& call);
  Outcome AskAll(const ApiRequest& request, int attempt, const Call& call, Race& race);
  std::optional<Outcome> AskInTurn(std::size_t node, const ApiRequest& request, int attempt,
                                   const Call& call, Round& round);
  std::optional<Outcome> AskBeside(std::size_t node, const ApiRequest& request, int attempt,
                                   const Call& call, Race& race, Round& round);
  Outcome Ask(std::size_t node, const ApiRequest& request, int attempt, const Call& call);
  static void CountSilence(Node& node);
  std::chrono::milliseconds Patience(std::size_t node) const;
  Outcome FollowRedirect(std::size_t node, const ApiRequest& request, net::HttpResponse answer,
                         int attempt, const Call& call);
  std::optional<std::string> ClusterBase(const std::string& origin) const;
  Result<ApiAnswer> Take(const ApiRequest& request, net::HttpResponse response,
                         std::size_t node) const;

  const VaultSettings& settings_;
  Clock& clock_;
  const SrvLookup look_up_srv_;
  std::vector<std::unique_ptr<Node>> nodes_;
  net::HttpClient redirected_;  // to where redirects lead
  net::RetryBudget budget_;
  std::optional<RateLimiter> limiter_;
  std::atomic<std::size_t> preferred_ = 0;  // the address that is asked first
  std::atomic<bool> saw_unknown_redirect_ = false;

  mutable std::mutex mutex_;  // of what follows
  std::set<std::string> learned_;
  core::SystemRandom random_;
};

}  // namespace qarion::secrets::vault
