// Tokens that a service account signs itself: JSON Web Tokens (RFC 7519) signed with "RS256".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gcp/credential_file.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// How long either of the first two is good: the longest that Google allows.
inline constexpr std::chrono::seconds kSignedTokenLife{3600};

// Stands in for an access token, without anybody being asked (AIP-4111): for one service where
// `audience` says which ("https://secretmanager.googleapis.com/"), or for a scope.
struct TokenUse {
  std::string audience;
  std::string scope;  // where there is no audience
};

// `key`: the account's, as crypto::ReadRsaPrivateKey gives it. Errors: see crypto::SignRs256.
// Thread-safe.
Result<Secret> SelfSignedToken(const ServiceAccount& account, const Secret& key,
                               const TokenUse& use, std::chrono::sys_seconds now);

// What the token endpoint gives an access token of that scope for (RFC 7523, 2.1). The audience is
// Google's, wherever the endpoint is: it accepts no other.
Result<Secret> GrantAssertion(const ServiceAccount& account, const Secret& key,
                              std::string_view scope, std::chrono::sys_seconds now);

// Tells somebody else than Google who one is; they get the account's public key from Google.
struct IdentityClaims {
  std::string subject;  // the service account's e-mail address
  std::string audience;
  std::chrono::seconds life;
};

// The claims sub, aud, iat and exp as JSON (RFC 7519, 4.1), for signJwt.
Secret ClaimsText(const IdentityClaims& claims, std::chrono::sys_seconds now);

// The same signed by the account, whose address the subject should be. As SelfSignedToken.
Result<Secret> SignedIdentity(const ServiceAccount& account, const Secret& key,
                              const IdentityClaims& claims, std::chrono::sys_seconds now);

}  // namespace qarion::secrets::gcp
