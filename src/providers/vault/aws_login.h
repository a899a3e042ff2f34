// Logging in as whoever AWS says that one is: the method `aws`, type iam.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/session.h"
#include "net/call.h"
#include "providers/vault/auth_settings.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

// The body of such a login: a signed request sts:GetCallerIdentity, which the server sends to STS
// and so learns who signed it. As HashiCorp's and hvac's clients make it: for the global endpoint
// where no region is set. Errors: see crypto::SignWithHeaders and aws::ResolveEndpoint.
Result<Secret> AwsLoginBody(const AuthSettings& settings, const crypto::SigningCredentials& keys,
                            std::chrono::sys_seconds time);

// Thread-safety: one thread at a time.
class AwsLogin {
 public:
  // `settings`, of that method, and `clock` outlive it.
  AwsLogin(const AuthSettings& settings, Clock& clock,
           const std::function<void(std::string_view)>& log, bool is_traced);

  struct Offer {
    Secret body;
    Secret key;  // with which it is signed
    Secret session_token;
  };
  // `was_refused`: what was signed last; then its source is asked anew. Errors: as above, and see
  // aws::CredentialChain.
  Result<Offer> Sign(bool was_refused, const net::Call& call);

  // See the session's. From any thread.
  std::vector<Secret> Held() const { return session_.Held(); }

 private:
  const AuthSettings& settings_;
  aws::Session session_;
};

}  // namespace qarion::secrets::vault
