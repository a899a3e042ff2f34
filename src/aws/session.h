// One identity at AWS: where it is from, and calls in its name.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aws/client_settings.h"
#include "aws/credential_chain.h"
#include "aws/profiles.h"
#include "aws/service_client.h"
#include "aws/sts.h"
#include "aws/variables.h"
#include "core/random.h"
#include "core/setting_lookup.h"
#include "net/call.h"
#include "net/http_client.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// What the environment and the files of profiles say.
struct SessionSettings {
  Variables variables;
  Profiles profiles;
  ClientSettings client;

  // See Profiles::Load and LoadClientSettings.
  static Result<SessionSettings> Load(const core::SettingLookup& lookup);

  // Every credential that stands in them.
  std::vector<Secret> Credentials() const;
};

// Belongs to one process; see core::PerProcess. Thread-safety: every member from several threads.
class Session {
 public:
  // `settings` and `clock` outlive it. `region`: see ServiceClient. `log` is never empty;
  // `is_traced`: it also receives a line for each exchange.
  Session(const SessionSettings& settings, const std::string& region, Clock& clock,
          const ServiceClient::Log& log, bool is_traced);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // See CredentialCache::Get.
  Result<Credentials> GetCredentials(const net::Call& call);

  // See CredentialCache::Replace.
  Result<std::optional<Credentials>> ReplaceCredentials(const Credentials& refused,
                                                        const net::Call& call) {
    return chain_.credentials().Replace(refused, call);
  }

  // See aws::GetCallerIdentity.
  Result<CallerIdentity> WhoAmI(const net::Call& call) {
    return GetCallerIdentity(services_, chain_.credentials(), call);
  }

  // See aws::SendSigned.
  Result<ServiceAnswer> SendSigned(ServiceRequest request, const net::Call& call);

  // Every key and token that it got and uses now, whether from elsewhere or out of a file.
  std::vector<Secret> Held() const { return held_.All(); }

  std::vector<CredentialChain::Tried> tried() const { return chain_.tried(); }
  ServiceClient& services() noexcept { return services_; }

  // Of the credentials in use: where they are from, and how long they last yet.
  struct InUse {
    std::string origin;
    std::optional<std::chrono::seconds> left;  // nothing: no end is known
    bool is_prolonged = false;                 // see Credentials
  };
  std::optional<InUse> in_use() const;  // nothing before the first

 private:
  void Note(const Credentials& credentials);

  core::SystemRandom random_;
  core::HeldSecrets held_;
  ServiceClient services_;
  net::HttpClient metadata_;
  CredentialChain chain_;
  mutable std::mutex mutex_;  // of what follows
  std::string origin_;        // of the credentials in use, or empty
  std::optional<Clock::SystemTime> expires_at_;
  bool is_prolonged_ = false;
};

}  // namespace qarion::secrets::aws
