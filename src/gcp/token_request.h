// How Google is asked for access tokens. Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_document.h"
#include "gcp/credential_file.h"
#include "net/http.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// What Secret Manager asks for, and what a token needs that acts as a service account.
inline constexpr char kCloudScope[] = "https://www.googleapis.com/auth/cloud-platform";
inline constexpr char kIamScope[] = "https://www.googleapis.com/auth/iam";

// For an assertion that the account signed (RFC 7523, 2.1); see GrantAssertion.
net::HttpRequest GrantRequest(const ServiceAccount& account, const Secret& assertion);

// For the refresh token of somebody who logged in (RFC 6749, 6).
net::HttpRequest RefreshRequest(const AuthorizedUser& user);
net::HttpRequest RefreshRequest(const ExternalUser& user);

// For the token of another identity provider (RFC 8693, 2.1).
net::HttpRequest ExchangeRequest(const ExternalAccount& account, const Secret& subject_token);

// For a token that acts as the service account `email` (generateAccessToken). `delegates`: those in
// between, each with or without "projects/-/serviceAccounts/". `bearer`: of who acts.
struct Impersonation {
  std::string email;
  std::vector<std::string> delegates;
  std::string universe = kDefaultUniverse;
  std::chrono::seconds lifetime{3600};
};
net::HttpRequest ImpersonationRequest(const Impersonation& impersonation, const Secret& bearer);

// Where IAM does `method` in the name of the service account `email`.
std::string AccountUrl(const std::string& universe, std::string_view email,
                       const std::string& method);

// The header that shows a token (RFC 6750, 2.1).
net::HttpHeader BearerAuthorization(const Secret& token);

struct AccessToken {
  Secret text;
  // Nothing: the answer does not say.
  std::optional<std::chrono::system_clock::time_point> expires_at;
  // What it may be used for, separated by blanks. Empty: the answer does not say, or it is for one
  // service alone.
  std::string scope = {};
  // Whose it is, as IAM writes it; empty where that is not known.
  std::string principal = {};

  // The same once more; the text is shared, not copied.
  AccessToken Share() const {
    return {.text = text.Share(), .expires_at = expires_at, .scope = scope, .principal = principal};
  }
  bool IsSameAs(const AccessToken& other) const { return text.ConstantTimeEquals(other.text); }
};

// Reads the answer of a token endpoint (RFC 6749, 5.1): access_token, expires_in in seconds as a
// number or a text, and scope. `doing` begins errors. kBadData: there is no token in it, or one
// that cannot be sent.
Result<AccessToken> TokenIn(const core::JsonDocument& answer, const std::string& doing,
                            std::chrono::system_clock::time_point now);
// The same of generateAccessToken: accessToken, and expireTime (RFC 3339).
Result<AccessToken> ImpersonatedTokenIn(const core::JsonDocument& answer, const std::string& doing);

}  // namespace qarion::secrets::gcp
