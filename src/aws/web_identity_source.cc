// A role assumed with the token of an identity provider, which something else keeps fresh in a
// file: EKS (IRSA), GitHub Actions and other CI.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/credential_source.h"
#include "aws/sts.h"
#include "core/ascii.h"
#include "core/files.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::size_t kLongestWebToken = std::size_t{64} * 1024;

Error Wrong(const Sourced& token_file, const std::string& problem) {
  return Error(ErrorCode::kConfiguration,
               token_file.setting + " names " + token_file.text + ", which " + problem)
      .With("setting", token_file.setting)
      .With("file", token_file.text)
      .Cure("let the file hold the token of the identity provider (a JWT) and nothing else");
}

// Official clients disagree about the newline at the end: some send it. No token has one.
Result<Secret> ReadToken(const Sourced& token_file) {
  if (token_file.text.starts_with("eyJ") && !token_file.text.contains('/')) {
    return Error(ErrorCode::kConfiguration, token_file.setting + " holds a token, not a path")
        .With("setting", token_file.setting)
        .Cure("write the token to a file, and name that");
  }
  auto file = core::ReadFile(token_file.text, token_file.setting, core::PipesAllowed::kNo,
                             kLongestWebToken);
  if (!file) return std::move(file).error();
  const std::string_view token = core::Trimmed(file->bytes.Reveal());
  if (token.empty()) return Wrong(token_file, "is empty");
  if (!core::IsVisible(token)) {
    return Wrong(token_file, "has white space, a control character or none of ASCII in its middle");
  }
  return Secret::CopyOf(token);
}

// Thread-safety: see CredentialSource.
class WebIdentitySource final : public CredentialSource {
 public:
  WebIdentitySource(const SourceContext& context, std::string profile, bool reads_variables)
      : context_(context), profile_(std::move(profile)), reads_variables_(reads_variables) {}

  std::string Name() const override { return "web identity"; }

  Result<Offer> Get(const net::Call& call) override {
    const auto token_file = Find("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    if (!token_file || token_file->text.empty()) return Offer{.why_not = WhyNot(token_file)};
    auto role = FindRole(*token_file);
    if (!role) return std::move(role).error();
    auto token = ReadToken(*token_file);
    if (!token) return std::move(token).error();
    context_.held.Hold("web identity of profile " + profile_, *token);
    auto credentials = AssumeRoleWithWebIdentity(
        context_.services,
        {.role_arn = role->text, .session_name = SessionName(), .setting = role->setting}, *token,
        call);
    if (!credentials) return std::move(credentials).error();
    credentials->origin = "role " + role->text + " by web identity, " + token_file->setting;
    return Offer{.credentials = std::move(*credentials)};
  }

 private:
  // A variable hides the profile's value even where it is empty.
  std::optional<Sourced> Find(const char* variable, const char* key) const {
    if (reads_variables_) {
      if (const auto text = context_.variables.Find(variable)) {
        return Sourced{std::string(*text), variable};
      }
    }
    const auto profile = context_.profiles.Find(profile_);
    const auto value = profile ? profile->Find(key) : std::nullopt;
    if (!value) return std::nullopt;
    return Sourced{std::string(value->text), value->NamedAs(key)};
  }

  std::string WhyNot(const std::optional<Sourced>& token_file) const {
    if (token_file) return token_file->setting + " is empty";
    return (reads_variables_ ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set, and profile "
                             : "profile ") +
           profile_ + " has no web_identity_token_file";
  }

  Result<Sourced> FindRole(const Sourced& token_file) const {
    auto role = Find("AWS_ROLE_ARN", "role_arn");
    if (!role || role->text.empty()) {
      return Error(ErrorCode::kConfiguration,
                   token_file.setting + " is set, and nothing says which role is to be assumed" +
                       (role ? ": " + role->setting + " is empty" : ""))
          .With("setting", token_file.setting)
          .Cure((reads_variables_ ? "set AWS_ROLE_ARN, or role_arn in profile "
                                  : "set role_arn in profile ") +
                profile_);
    }
    if (auto checked = CheckRoleArn(*role); !checked) return std::move(checked).error();
    return std::move(*role);
  }

  // The same for as long as the process runs, as botocore's.
  const std::string& SessionName() {
    if (session_name_.empty()) {
      const auto name = Find("AWS_ROLE_SESSION_NAME", "role_session_name");
      session_name_ = name && !name->text.empty() ? name->text : MakeSessionName(context_.clock);
    }
    return session_name_;
  }

  const SourceContext context_;
  const std::string profile_;
  const bool reads_variables_;
  std::string session_name_;
};

}  // namespace

SourcePtr MakeWebIdentitySource(const SourceContext& context, std::string profile,
                                bool reads_variables) {
  return std::make_unique<WebIdentitySource>(context, std::move(profile), reads_variables);
}

}  // namespace qarion::secrets::aws
