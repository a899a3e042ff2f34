// How a token is come by.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/held_secrets.h"
#include "providers/vault/api.h"
#include "providers/vault/aws_login.h"
#include "providers/vault/gcp_login.h"
#include "providers/vault/vault_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

// What a login brought. A token that was given and not issued here is known by its value alone,
// until it is looked up.
struct Grant {
  Secret token;
  std::string accessor;
  std::vector<std::string> policies;
  std::chrono::seconds lease{};  // 0: does not expire
  bool is_renewable = false;
  std::int64_t uses_left = 0;  // 0: any number
  bool is_known = false;       // all but the token
};

// Reads `auth` of an answer to a login or a renewal, or `data` of a look-up. Nothing where it holds
// no token that could be used.
std::optional<Grant> GrantFromAuth(const core::JsonValue& auth);
Grant GrantFromLookup(const core::JsonValue& data, const Secret& token);

// Logs in by the method of the settings.
//
// Thread-safety: one thread at a time.
class Login {
 public:
  // The first three outlive it.
  Login(const VaultSettings& settings, Api& api, Clock& clock,
        const std::function<void(std::string_view)>& log);

  // Reads the credentials anew and exchanges them. Not retried on a refusal. kNotPermitted: the
  // server refuses the credentials; kConfiguration: they are missing, or the method cannot be used;
  // else as Api::Send.
  Result<Grant> Run(const Call& call);

  // Whether the server, asked last, said no to what it was offered, or failed over it.
  bool was_refused() const noexcept {
    return !refused_.empty() || !refused_wrapping_token_.empty();
  }
  // Whether that was exactly the credentials that there are now: to offer them again would be
  // refused again, and lock the account after a few times.
  bool IsKnownToBeRefused();

  // "approle at auth/approle/".
  std::string Describe() const;
  // Where the login goes, below /v1/.
  std::string Path() const;

  // What the latest logins were made with and brought. From any thread.
  std::vector<Secret> Held() const;

  // Whether Run() could bring another token than the one it brought last.
  bool CanRepeat() const;

 private:
  // What is sent, and what tells it from other credentials: the same, but for its time.
  struct Offer {
    Secret body;
    Secret credentials;
    Secret session_token;  // of an AWS identity
  };
  Result<Offer> MakeOffer(bool was_refused, const Call& call);
  Result<Secret> Body(const Call& call);
  Result<Secret> SecretId(const Call& call);
  Result<Secret> Unwrap(const Secret& wrapping_token, const Call& call);
  Result<Grant> Exchange(const Offer& offer, const Call& call);
  std::string CureOfRefusal() const;
  Error Refused(const ApiAnswer& answer) const;

  const AuthSettings& settings_;
  const std::string& name_space_;
  const net::TlsSettings& certificate_;
  Api& api_;
  core::HeldSecrets held_;
  std::unique_ptr<AwsLogin> aws_;  // each of its method
  std::unique_ptr<GcpLogin> gcp_;
  // Of a wrapped secret id, which can be unwrapped once.
  Secret unwrapped_from_;
  Secret unwrapped_;
  Secret refused_wrapping_token_;
  // What was offered when the server refused it last, and the files of the certificate beside it.
  Secret refused_;
  std::string refused_files_;
};

}  // namespace qarion::secrets::vault
