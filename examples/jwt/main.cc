// A service that signs access and refresh tokens and does not take one for the other.
#include <chrono>
#include <iostream>
#include <string>

#include <qarion/secrets/jwt_signer.h>
#include <qarion/secrets/jwt_verifier.h>
#include <qarion/secrets/runtime.h>

namespace secrets = qarion::secrets;
namespace jwt = qarion::secrets::jwt;

namespace {

constexpr char kIssuer[] = "https://login.example.com";
constexpr char kAudience[] = "https://api.example.com";
constexpr std::chrono::hours kRefreshLifetime{24 * 14};

void Show(const char* what, const secrets::Result<jwt::VerifiedToken>& token) {
  if (token) {
    std::cout << what << ": " << token->claims().subject().value_or("nobody")
              << ", signed with the " << jwt::ToString(token->key()) << " key\n";
  } else if (const auto reason = jwt::RejectionOf(token.error())) {
    std::cout << what << ": " << jwt::ToString(*reason) << "\n";
  } else {
    secrets::Report(token.error());
  }
}

}  // namespace

int main() {
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());

  const auto access_signer = jwt::Signer::For(*runtime).Type("at+jwt");
  const auto refresh_signer =
      jwt::Signer::For(*runtime).Type("refresh+jwt").Lifetime(kRefreshLifetime);
  const auto access_verifier = jwt::Verifier::For(*runtime)
                                   .RequireType("at+jwt")
                                   .RequireIssuer(kIssuer)
                                   .RequireAudience(kAudience)
                                   .Leeway(std::chrono::seconds(60));
  const auto refresh_verifier = jwt::Verifier::For(*runtime)
                                    .RequireType("refresh+jwt")
                                    .RequireIssuer(kIssuer)
                                    .RequireAudience(kIssuer)
                                    .AcceptLifetimesUpTo(kRefreshLifetime);
  // A key that is missing or weak is told at the start, not at the first request.
  if (auto usable = access_verifier.Check(); !usable) return secrets::Report(usable.error());

  auto access =
      access_signer.Sign(jwt::ClaimsBuilder().Issuer(kIssuer).Audience(kAudience).Subject("alice"));
  if (!access) return secrets::Report(access.error());
  auto refresh = refresh_signer.Sign(
      jwt::ClaimsBuilder().Issuer(kIssuer).Audience(kIssuer).Subject("alice").Id("session-1"));
  if (!refresh) return secrets::Report(refresh.error());

  Show("access token", access_verifier.Verify(*access));
  Show("refresh token", refresh_verifier.Verify(*refresh));
  Show("refresh token as an access token", access_verifier.Verify(*refresh));
  return 0;
}
