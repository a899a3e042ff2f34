// Signs JSON Web Tokens (RFC 7515, compact serialization) under the key that a service holds now.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <qarion/secrets/clock.h>
#include <qarion/secrets/export.h>
#include <qarion/secrets/jwt_claims.h>
#include <qarion/secrets/jwt_keys.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/runtime.h>

namespace qarion::secrets::jwt {

// How long a token lives where nothing else is said, and the longest life that a Verifier accepts.
inline constexpr std::chrono::seconds kDefaultLifetime = std::chrono::minutes(30);

// Signs with SECRET_KEY, whatever it is at that moment. Each token says `alg`, `typ`, `kid`, `iat`
// and `exp`. Make one for a kind of tokens and keep it: keys are prepared once for each thread.
//
// Thread-safety: Sign and Check from several threads. Lifetime: must not outlive the Runtime, which
// must stay where it is.
class QARION_SECRETS_EXPORT Signer {
 public:
  // The key is looked at when it is used: Check() tells at the start whether it will do.
  static Signer For(const Runtime& runtime, Algorithm algorithm = Algorithm::kHs256);

  // With a key of the caller's own. kConfiguration: see RefuseWeakKey.
  static Result<Signer> With(Secret key, Algorithm algorithm = Algorithm::kHs256);

  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  // All of these before the first use.
  //
  // `typ`, which tells kinds of tokens apart (RFC 8725, 3.11): "at+jwt". "JWT" where not set.
  Signer Type(std::string type) &&;
  Signer Lifetime(std::chrono::seconds lifetime) &&;
  Signer UseClock(std::shared_ptr<Clock> clock) &&;
  // For verifiers that take no notice of it, or mistake it for another.
  Signer OmitKeyId() &&;

  // Whether there is a key to sign with. kNotSet: no SECRET_KEY. kConfiguration: RefuseWeakKey
  // refuses it. Else the backend's error.
  Status Check() const;

  // The token. kUsage: a mistake in the claims, or an end that is not after the beginning; else as
  // Check().
  Result<std::string> Sign(const ClaimsBuilder& claims) const;

 private:
  class Impl;
  explicit Signer(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qarion::secrets::jwt
