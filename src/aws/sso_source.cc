// Credentials of a role that a person may take who logged in by SSO (IAM Identity Center).
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/arn.h"
#include "aws/credential_source.h"
#include "aws/sso_token.h"
#include "core/percent_encoding.h"
#include "core/wrong_setting.h"

namespace qarion::secrets::aws {
namespace {

// botocore's.
constexpr std::chrono::minutes kTokenRefreshWindow{15};
constexpr char kRefreshing[] = "sso-oidc:CreateToken";
constexpr char kExchanging[] = "sso:GetRoleCredentials";

struct SsoConfig {
  std::string session;  // empty: a profile of the older form, whose token is not refreshed
  std::string start_url;
  Sourced region;
  Sourced account_id;
  Sourced role_name;

  // By what the token's file is named.
  const std::string& key() const noexcept { return session.empty() ? start_url : session; }
};

Error Misconfigured(const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, problem).Cure(std::move(cure));
}

// The session that the profile names. A value that both have must be the same.
Result<Profile> SessionOf(const Profile& profile, const ProfileValue& name,
                          const Profiles& profiles) {
  auto session = profiles.SsoSession(name.text);
  if (!session) {
    return Misconfigured(
        "sso_session in " + name.where + " names " + std::string(name.text) +
            ", and there is no section [sso-session " + std::string(name.text) + "] in " +
            profiles.config_path(),
        "add the section with sso_start_url and sso_region, or run `aws configure sso`");
  }
  constexpr std::array<std::string_view, 5> kShared = {
      "sso_start_url", "sso_region", "sso_account_id", "sso_role_name", "sso_registration_scopes"};
  for (const std::string_view key : kShared) {
    const auto here = profile.Find(key);
    const auto there = session->Find(key);
    if (here && there && here->text != there->text) {
      return Misconfigured(std::string(key) + " in " + here->where + " differs from the one of " +
                               "its sso_session in " + there->where,
                           "leave it out of the profile");
    }
  }
  return std::move(*session);
}

class SsoSource final : public CredentialSource {
 public:
  SsoSource(const SourceContext& context, std::string profile)
      : context_(context), profile_(std::move(profile)) {}

  std::string Name() const override { return "SSO"; }

  Result<Offer> Get(const net::Call& call) override {
    const auto profile = context_.profiles.Find(profile_);
    if (!profile) return Offer{.why_not = "there is no profile " + profile_};
    if (!profile->Find("sso_account_id") && !profile->Find("sso_role_name")) {
      return Offer{.why_not =
                       "the profile " + profile_ + " has neither sso_account_id nor sso_role_name"};
    }
    auto config = Read(*profile);
    if (!config) return std::move(config).error();
    auto token = FreshToken(*config, call);
    if (!token) return std::move(token).error();
    auto credentials = Exchange(*config, *token, call);
    if (!credentials) return std::move(credentials).error();
    credentials->account_id = config->account_id.text;
    credentials->origin = "SSO role " + config->role_name.text + " of account " +
                          config->account_id.text + " by profile " + profile_;
    return Offer{.credentials = std::move(*credentials)};
  }

 private:
  Result<SsoConfig> Read(const Profile& profile) const {
    std::optional<Profile> session;
    const auto named = profile.Find("sso_session");
    if (named) {
      auto found = SessionOf(profile, *named, context_.profiles);
      if (!found) return std::move(found).error();
      session = std::move(*found);
    }
    std::string missing;
    const auto find = [&](const char* key, bool is_of_session) -> Sourced {
      auto value = session ? session->Find(key) : std::nullopt;
      if ((!value || value->text.empty()) && !(is_of_session && session)) value = profile.Find(key);
      if (value && !value->text.empty()) {
        return {std::string(value->text), value->NamedAs(key)};
      }
      missing += (missing.empty() ? "" : ", ") + std::string(key);
      return {};
    };
    SsoConfig config{.session = named ? std::string(named->text) : "",
                     .start_url = find("sso_start_url", true).text,
                     .region = find("sso_region", true),
                     .account_id = find("sso_account_id", false),
                     .role_name = find("sso_role_name", false)};
    if (missing.empty() && IsRegionName(config.region.text)) return config;
    if (missing.empty()) {
      return core::Wrong(config.region.setting, "is not the name of a region",
                         "write the region of IAM Identity Center, such as eu-central-1");
    }
    return Misconfigured("the profile " + profile_ +
                             (named ? " with the sso-session " + config.session : "") +
                             " is one for SSO and has no " + missing,
                         "run `aws configure sso --profile " + profile_ + "`");
  }

  std::string LogIn() const { return "run `aws sso login --profile " + profile_ + "`"; }

  bool IsExpired(const SsoToken& token) const {
    return token.expires_at <= context_.clock.SystemNow();
  }

  Result<SsoToken> Load(const std::string& path) const {
    auto token = ReadSsoToken(path);
    if (!token) {
      return Error(token.error().code(), token.error().reason()).With("file", path).Cure(LogIn());
    }
    // That of a refresh which could not be written down.
    if (unsaved_ && unsaved_->expires_at > token->expires_at) token = unsaved_->Share();
    Hold(*token);
    return token;
  }

  void Hold(const SsoToken& token) const {
    const std::string name = "SSO of profile " + profile_;
    context_.held.Hold(name + ": access token", token.access_token);
    context_.held.Hold(name + ": refresh token", token.refresh_token);
    context_.held.Hold(name + ": client secret", token.client_secret);
  }

  Result<Secret> FreshToken(const SsoConfig& config, const net::Call& call) {
    const auto path = SsoTokenPath(context_.variables, config.key());
    if (!path) return path.error();
    auto token = Load(*path);
    if (!token) return std::move(token).error();
    std::optional<Error> failure;  // of the refresh
    const bool ends_soon = token->expires_at - context_.clock.SystemNow() < kTokenRefreshWindow;
    if (ends_soon && !config.session.empty()) {
      auto fresh = Refresh(config, *token, call);
      if (fresh) {
        Hold(*fresh);
        Save(*path, *fresh, config);
        return std::move(fresh->access_token);
      }
      failure = std::move(fresh).error();
      // Another process may have been first, which made the old token's refresh token useless.
      if (auto again = Load(*path); again && again->expires_at > token->expires_at) {
        token = std::move(again);
      }
    }
    if (!IsExpired(*token)) {
      if (failure) {
        context_.log("SSO: the token of " + config.key() +
                     " is not refreshed: " + failure->reason());
      }
      return std::move(token->access_token);
    }
    if (failure && failure->IsTransient()) return std::move(*failure);
    return Error(ErrorCode::kNotPermitted,
                 "the login by SSO of the profile " + profile_ + " has ended" +
                     (failure ? ", and is not refreshed: " + failure->reason() : ""))
        .With("file", *path)
        .Cure(LogIn());
  }

  Result<SsoToken> Refresh(const SsoConfig& config, const SsoToken& old, const net::Call& call) {
    const auto refuse = [](const char* problem) {
      return Error(ErrorCode::kNotPermitted, problem).Cure("log in again");
    };
    if (old.refresh_token.empty() || old.client_id.empty() || old.client_secret.empty() ||
        old.registration_expires_at.empty()) {
      return refuse("its file lacks refreshToken, clientId, clientSecret or registrationExpiresAt");
    }
    const auto registered_until = ParseSsoTime(old.registration_expires_at);
    if (!registered_until) return refuse("registrationExpiresAt in its file is no time");
    if (*registered_until <= context_.clock.SystemNow()) {
      return refuse("the registration of the client that logged in has ended");
    }
    ServiceRequest request{.service = Service::kSsoOidc,
                           .path = "/token",
                           .body = RefreshRequest(old),
                           .region = config.region.text};
    request.headers.push_back({"Content-Type", Secret::CopyOf("application/json")});
    for (const Secret* sent : {&old.client_secret, &old.refresh_token, &old.access_token}) {
      request.hidden.push_back(sent->Share());
    }
    auto answer = context_.services.Send(request, call);
    if (!answer) return std::move(answer).error();
    if (!answer->is_ok()) return ErrorOf(*answer, kRefreshing);
    if (!answer->json) return NotOfTheService(*answer, kRefreshing);
    return RefreshedToken(answer->json->root(), old, context_.clock.SystemNow());
  }

  void Save(const std::string& path, const SsoToken& token, const SsoConfig& config) {
    unsaved_.reset();
    const Status saved = WriteSsoToken(path, token, config.start_url, config.region.text);
    if (saved) return;
    context_.log("SSO: the refreshed token is kept in memory alone: " + saved.error().reason());
    unsaved_ = token.Share();
  }

  static Error Refused(const ServiceAnswer& answer, const SsoConfig& config) {
    const std::string cure =
        "see that " + config.account_id.setting + " and " + config.role_name.setting +
        " name an account and a role in it that were assigned to who logged in";
    const std::vector<Meaning> meanings = {
        {"ForbiddenException", ErrorCode::kNotPermitted, cure},
        {"ResourceNotFoundException", ErrorCode::kConfiguration, cure},
        {"InvalidRequestException", ErrorCode::kConfiguration, cure}};
    return ErrorOf(answer, kExchanging, meanings).With("setting", config.role_name.setting);
  }

  Result<Credentials> Exchange(const SsoConfig& config, const Secret& token,
                               const net::Call& call) {
    ServiceRequest request{.service = Service::kSso,
                           .method = "GET",
                           .path = "/federation/credentials",
                           .query = "role_name=" + core::PercentEncoded(config.role_name.text) +
                                    "&account_id=" + core::PercentEncoded(config.account_id.text),
                           .region = config.region.text};
    request.headers.push_back({"x-amz-sso_bearer_token", token.Share()});
    request.hidden.push_back(token.Share());
    auto answer = context_.services.Send(request, call);
    if (!answer) return std::move(answer).error();
    if (answer->status == 401 && answer->json) {  // and not a page of something else
      return Error(ErrorCode::kNotPermitted, "SSO does not accept the login of the profile " +
                                                 profile_ + " any more (" + answer->host +
                                                 " answers 401)")
          .Cure(LogIn());
    }
    if (!answer->is_ok()) return Refused(*answer, config);
    if (!answer->json) return NotOfTheService(*answer, kExchanging);
    return RoleCredentials((*answer)["roleCredentials"]);
  }

  const SourceContext context_;
  const std::string profile_;
  std::optional<SsoToken> unsaved_;
};

}  // namespace

SourcePtr MakeSsoSource(const SourceContext& context, std::string profile) {
  return std::make_unique<SsoSource>(context, std::move(profile));
}

}  // namespace qarion::secrets::aws
