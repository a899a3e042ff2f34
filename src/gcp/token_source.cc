#include "gcp/token_source.h"

#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/rsa_key.h"
#include "gcp/principal.h"
#include "gcp/subject_token.h"
#include "gcp/token_client.h"

namespace qarion::secrets::gcp {
namespace {

constexpr char kTokenPath[] =
    "instance/service-accounts/default/"
    "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform";

// Each kind of identity has its way to a token.
class CredentialFileSource final : public TokenSource {
 public:
  CredentialFileSource(const Sourced& place, std::string universe, TokenUse use,
                       const SourceContext& context)
      : place_(place), universe_(std::move(universe)), use_(std::move(use)), context_(context) {}

  Result<AccessToken> Get(const net::Call& call) override {
    auto file = ReadCredentialFile(place_);
    if (!file) return std::move(file).error();
    // The hosts that it is shown to were chosen when the service started.
    if (file->universe != universe_) {
      return Error(ErrorCode::kConfiguration, place_.text + " is of another universe than before")
          .With("file", place_.text)
          .Cure("start the service again");
    }
    HoldSecretsIn(*file, context_.held);
    return TokenOf(*file, call);
  }

 private:
  Result<AccessToken> TokenOf(const CredentialFile& file, const net::Call& call) {
    auto token =
        std::visit([&](const auto& identity) { return Of(identity, file, call); }, file.identity);
    if (token && token->principal.empty()) token->principal = PrincipalOf(file);
    return token;
  }

  Result<Secret> KeyOf(const ServiceAccount& account) const {
    return crypto::ReadRsaPrivateKey(account.private_key.Reveal(), "private_key in " + place_.text);
  }

  std::chrono::sys_seconds Now() const {
    return std::chrono::floor<std::chrono::seconds>(context_.clock.SystemNow());
  }

  // Signs the token itself (AIP-4111): nobody is asked.
  Result<AccessToken> Of(const ServiceAccount& account, const CredentialFile& file,
                         const net::Call& /*call*/) const {
    const auto key = KeyOf(account);
    if (!key) return key.error();
    TokenUse use = use_;
    if (file.universe != kDefaultUniverse) use = {.audience = {}, .scope = kCloudScope};
    auto text = SelfSignedToken(account, *key, use, Now());
    if (!text) return std::move(text).error();
    return AccessToken{.text = std::move(*text),
                       .expires_at = Now() + kSignedTokenLife,
                       .scope = use.audience.empty() ? use.scope : ""};
  }

  Result<AccessToken> Of(const AuthorizedUser& user, const CredentialFile& /*file*/,
                         const net::Call& call) const {
    const std::array hidden = {user.client_secret.Share(), user.refresh_token.Share()};
    const std::string doing = "the renewal of the login in " + place_.text;
    auto answer = AskForToken(RefreshRequest(user), doing, "", hidden, context_, call);
    if (!answer) return std::move(answer).error();
    auto token = TokenIn(*answer->json, doing, context_.clock.SystemNow());
    const std::string_view identity = (*answer)["id_token"].Text().value_or("");
    context_.held.Hold("identity token", Secret::CopyOf(identity));
    if (token) token->principal = UserIn(identity);
    return token;
  }

  Result<AccessToken> Of(const ExternalUser& user, const CredentialFile& /*file*/,
                         const net::Call& call) {
    // Some logins get another refresh token each time; the file's own counts once it is another.
    if (!given_refresh_token_.ConstantTimeEquals(user.refresh_token)) {
      given_refresh_token_ = user.refresh_token.Share();
      refresh_token_ = user.refresh_token.Share();
    }
    const ExternalUser now{.token_url = user.token_url,
                           .client_id = user.client_id,
                           .client_secret = user.client_secret.Share(),
                           .refresh_token = refresh_token_.Share()};
    net::HttpRequest request = RefreshRequest(now);
    request.is_repeatable = false;
    const std::string doing = "the renewal of the login in " + place_.text;
    const std::array hidden = {now.client_secret.Share(), now.refresh_token.Share()};
    auto answer = AskForToken(request, doing, "", hidden, context_, call);
    if (!answer) return std::move(answer).error();
    auto token = TokenIn(*answer->json, doing, context_.clock.SystemNow());
    const auto next = (*answer)["refresh_token"].Text();
    if (token && next && !next->empty()) refresh_token_ = Secret::CopyOf(*next);
    context_.held.Hold("refresh token", refresh_token_);
    return token;
  }

  Result<AccessToken> Of(const ExternalAccount& account, const CredentialFile& file,
                         const net::Call& call) const {
    const auto subject_token = GetSubjectToken(account, context_, call);
    if (!subject_token) return subject_token.error();
    context_.held.Hold("subject token", *subject_token);
    const std::array hidden = {subject_token->Share(), account.client_secret.Share()};
    auto token = Asked(ExchangeRequest(account, *subject_token),
                       "the exchange of the token of another provider (" + account.audience + ")",
                       "", hidden, call);
    if (!token) return token;
    token->principal = PoolMemberIn(account.audience, subject_token->Reveal());
    if (account.impersonated_email.empty()) {
      // What is not said is as it was asked for (RFC 8693, 2.2.1).
      if (token->scope.empty()) token->scope = kCloudScope;
      return token;
    }
    return ActAs({.email = account.impersonated_email,
                  .delegates = {},
                  .universe = file.universe,
                  .lifetime = account.impersonated_lifetime},
                 *token, {}, call);
  }

  Result<AccessToken> Of(const ImpersonatedAccount& account, const CredentialFile& file,
                         const net::Call& call) {
    auto source =
        std::holds_alternative<ServiceAccount>(account.source->identity)
            ? Granted(std::get<ServiceAccount>(account.source->identity), *account.source, call)
            : TokenOf(*account.source, call);
    if (!source) return source;
    return ActAs(
        {.email = account.email, .delegates = account.delegates, .universe = file.universe},
        *source, account.source->quota_project, call);
  }

  // A token of the scope that IAM wants: from the token endpoint, or signed in universes without.
  Result<AccessToken> Granted(const ServiceAccount& account, const CredentialFile& file,
                              const net::Call& call) const {
    if (file.universe != kDefaultUniverse) return Of(account, file, call);
    const auto key = KeyOf(account);
    if (!key) return key.error();
    const auto assertion = GrantAssertion(account, *key, kIamScope, Now());
    if (!assertion) return assertion.error();
    context_.held.Hold("assertion", *assertion);
    const std::string principal = PrincipalOf(file);
    auto token = Asked(GrantRequest(account, *assertion),
                       "the exchange of what " + account.client_email + " signed", principal,
                       {&*assertion, 1}, call);
    if (token) token->principal = principal;
    return token;
  }

  Result<AccessToken> ActAs(const Impersonation& impersonation, const AccessToken& bearer,
                            const std::string& quota_project, const net::Call& call) const {
    context_.held.Hold("token of who acts as another", bearer.text);
    const std::string& asker = bearer.principal;
    const std::string doing =
        (asker.empty() ? "acting" : "letting " + asker + " act") + " as " + impersonation.email;
    net::HttpRequest request = ImpersonationRequest(impersonation, bearer.text);
    if (!quota_project.empty()) {
      request.headers.push_back({"x-goog-user-project", Secret::CopyOf(quota_project)});
    }
    auto answer = AskForToken(request, doing, asker, {&bearer.text, 1}, context_, call);
    if (!answer) {
      std::vector<std::string> accounts = impersonation.delegates;
      accounts.push_back(impersonation.email);
      return WithGrants(std::move(answer).error(), asker, accounts);
    }
    return ImpersonatedTokenIn(*answer->json, doing);
  }

  Result<AccessToken> Asked(const net::HttpRequest& request, const std::string& doing,
                            const std::string& asker, std::span<const Secret> hidden,
                            const net::Call& call) const {
    auto answer = AskForToken(request, doing, asker, hidden, context_, call);
    if (!answer) return std::move(answer).error();
    return TokenIn(*answer->json, doing, context_.clock.SystemNow());
  }

  const Sourced& place_;
  const std::string universe_;
  const TokenUse use_;
  const SourceContext context_;
  Secret given_refresh_token_;  // of an ExternalUser, as the file had it
  Secret refresh_token_;        // the latest
};

class MetadataSource final : public TokenSource {
 public:
  MetadataSource(MetadataServer& server, const SourceContext& context)
      : server_(server), clock_(context.clock) {}

  Result<AccessToken> Get(const net::Call& call) override {
    const auto body = server_.Get(kTokenPath, call);
    if (!body) return body.error();
    const std::string doing = "the token of the metadata server at " + server_.address();
    const auto answer = core::JsonDocument::Parse(body->Reveal(), doing);
    if (!answer) {
      return Error(answer.error()).Cure("see that it is Google's metadata server that answers");
    }
    return TokenIn(*answer, doing, clock_.SystemNow());
  }

 private:
  MetadataServer& server_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<TokenSource> MakeFileSource(const Sourced& place, std::string universe,
                                            TokenUse use, const SourceContext& context) {
  return std::make_unique<CredentialFileSource>(place, std::move(universe), std::move(use),
                                                context);
}

std::unique_ptr<TokenSource> MakeMetadataSource(MetadataServer& server,
                                                const SourceContext& context) {
  return std::make_unique<MetadataSource>(server, context);
}

}  // namespace qarion::secrets::gcp
