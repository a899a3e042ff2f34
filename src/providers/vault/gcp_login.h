// Logging in as whoever Google Cloud says that one is: the method `gcp`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gcp/session.h"
#include "net/call.h"
#include "providers/vault/auth_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

// The body of such a login.
Secret GcpLoginBody(std::string_view role, const Secret& jwt);

// Thread-safety: one thread at a time.
class GcpLogin {
 public:
  // `settings`, of that method, and `clock` outlive it. `address`: the server's.
  GcpLogin(const AuthSettings& settings, std::string address, Clock& clock,
           const std::function<void(std::string_view)>& log, bool is_traced);

  // What tells the server who one is, made anew each time: a JSON Web Token for the role. The file
  // with a service account's key is read again.
  //
  // kConfiguration: the key has no id, or no service account is known; else see
  // gcp::ReadCredentialFile, crypto::ReadRsaPrivateKey, gcp::SignByGoogle and gcp::MachineIdentity.
  Result<Secret> Sign(const net::Call& call);

  // See the session's. From any thread.
  std::vector<Secret> Held() const { return session_.Held(); }

 private:
  Result<Secret> SignByAccount(const net::Call& call);
  Result<Secret> SignInName(std::string email, const net::Call& call);
  Result<Secret> AskMachine(const net::Call& call);
  std::chrono::sys_seconds Now() const;

  const AuthSettings& settings_;
  const std::string address_;
  gcp::Session session_;
};

}  // namespace qarion::secrets::vault
