// Calls of the server's HTTP API, at whichever of its addresses answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_document.h"
#include "core/random.h"
#include "net/http_client.h"
#include "net/retry.h"
#include "providers/vault/rate_limiter.h"
#include "providers/vault/vault_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::vault {

struct ApiRequest {
  std::string method = "GET";
  std::string path;   // below /v1/, not encoded
  std::string query;  // encoded, or empty
  Secret body;        // JSON, or empty
  // X-Vault-Token, or null. Valid during the call.
  const Secret* token = nullptr;
  bool has_namespace = true;
  // Whether the server may be asked again or elsewhere after a delay of seconds: so not a login,
  // which may use up what it was given.
  bool is_patient = false;
  // Statuses beside failures to answer that are worth another try.
  bool retries_statuses = true;
};

struct ApiAnswer {
  int status = 0;
  Secret body;
  std::optional<core::JsonDocument> json;  // none where the body is none
  std::optional<std::chrono::sys_seconds> date;
  std::string address;       // that answered
  std::vector<Secret> sent;  // the credentials of the request: an answer may quote them

  core::JsonValue operator[](std::string_view name) const {
    return json ? (*json)[name] : core::JsonValue();
  }
  // The server's `errors`, or `warnings`, as one line fit for people, without what was sent; empty
  // where there are none.
  std::string Errors() const;
  std::string Warnings() const;

 private:
  std::string OneLineOf(std::string_view member) const;
};

struct Call {
  Clock::SteadyTime deadline;
  std::stop_token stop;
};

// Thread-safety: every member from several threads.
class Api {
 public:
  // `settings` and `clock` outlive it. `trace` receives a line for each exchange; may be empty.
  Api(const VaultSettings& settings, Clock& clock,
      const std::function<void(std::string_view)>& trace);

  // Asks the address that answered last, then the others in order where one does not answer, is
  // sealed or knows no leader, those last that were silent before; and all of them again as the
  // retry policy has it. Every definite
  // answer is a success here, whatever its status. A redirect is followed once, and only to a host
  // of the cluster: the token goes nowhere else. Errors as HttpClient's; kUnavailable where no
  // address answers.
  Result<ApiAnswer> Send(const ApiRequest& request, const Call& call);

  // Asks one address by its number, once.
  Result<ApiAnswer> SendTo(std::size_t address, const ApiRequest& request, const Call& call);

  // A further address of the cluster, as a server that was asked for it said: redirects may lead
  // there.
  void Learn(std::string_view address);

  // The address that answered last.
  std::string address() const;
  std::size_t address_count() const noexcept { return nodes_.size(); }
  const Address& address(std::size_t index) const { return settings_.addresses[index]; }

 private:
  struct Node {
    const Address* address;
    std::string url;   // the address's, or what its SRV records say
    std::string host;  // to name to the server where that is another one, else empty
    std::unique_ptr<net::HttpClient> client;
    // How often in a row it gave no answer at all.
    std::unique_ptr<std::atomic<int>> silences = std::make_unique<std::atomic<int>>(0);
  };
  struct Outcome {
    net::Attempt attempt;
    bool is_definite = true;
  };

  void LookUpServicesOnce();
  void LookUpServices();
  net::HttpRequest Compose(const ApiRequest& request, const std::string& base,
                           const std::string& host = "") const;
  std::vector<std::size_t> Order() const;
  net::Attempt TryAll(const ApiRequest& request, int attempt, const Call& call);
  Outcome TryOne(std::size_t node, const ApiRequest& request, int attempt,
                 Clock::SteadyTime deadline, const std::stop_token& stop);
  Outcome Judge(net::Attempt attempt) const;
  Outcome FollowRedirect(std::size_t node, const ApiRequest& request, net::HttpResponse answer,
                         int attempt, Clock::SteadyTime deadline, const std::stop_token& stop);
  std::optional<std::string> ClusterBase(const std::string& origin) const;
  Result<ApiAnswer> Take(const ApiRequest& request, net::HttpResponse response) const;

  const VaultSettings& settings_;
  Clock& clock_;
  std::vector<Node> nodes_;
  net::HttpClient redirected_;  // to where redirects lead
  net::RetryPolicy policy_;
  net::RetryBudget budget_;
  std::optional<RateLimiter> limiter_;
  std::once_flag looked_up_services_;
  std::atomic<std::size_t> preferred_ = 0;  // the address that is asked first

  mutable std::mutex mutex_;  // of what follows
  std::set<std::string> learned_;
  core::SystemRandom random_;
};

}  // namespace qarion::secrets::vault
