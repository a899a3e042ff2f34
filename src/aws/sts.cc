#include "aws/sts.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/arn.h"
#include "aws/signed_call.h"
#include "aws/xml_document.h"
#include "core/ascii.h"
#include "core/rfc3339.h"
#include "net/form.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

// IAM's limits.
constexpr std::size_t kLongestKeyId = 128;
constexpr std::size_t kLongestArn = 2048;
constexpr std::size_t kLongestText = 300;  // of a name in an answer

net::Form FormOf(std::string_view action) {
  net::Form form;
  form.Add("Action", action).Add("Version", "2011-06-15");
  return form;
}

net::Form RoleForm(std::string_view action, const AssumeRoleInput& input) {
  net::Form form = FormOf(action);
  form.Add("RoleArn", input.role_arn).Add("RoleSessionName", input.session_name);
  if (!input.external_id.empty()) form.Add("ExternalId", input.external_id);
  if (input.duration_seconds) form.Add("DurationSeconds", std::to_string(*input.duration_seconds));
  return form;
}

ServiceRequest RequestOf(net::Form& form) {
  ServiceRequest request{.service = Service::kSts, .body = form.Take()};
  request.headers.push_back(net::FormType());
  return request;
}

Meaning RegionIsOff(const ServiceClient& services) {
  return {"RegionDisabledException", ErrorCode::kConfiguration,
          "activate STS in the region " + services.region() +
              " in the account settings of IAM, or set another region"};
}

// `also`: more to be said of the values.
Meaning ValueIsRefused(const AssumeRoleInput& input, const std::string& also) {
  return {"ValidationError", ErrorCode::kConfiguration,
          "correct what AWS names: " + input.setting + ", or what belongs to it" + also};
}

// `result`: the element that has what was asked for.
Error Unreadable(const ServiceAnswer& answer, const std::string& result, const std::string& doing) {
  if (!XmlText(answer.body.Reveal(), result)) return NotOfTheService(answer, doing);
  return Error(ErrorCode::kBadData, doing + " brought an incomplete answer from " + answer.host)
      .With("status", std::to_string(answer.status))
      .Cure("see that the endpoint is that of STS: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL");
}

// Whether it has letters, digits and marks of ASCII alone.
bool IsPlain(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && core::IsVisible(text);
}

// `result`: the element that holds it.
Result<Credentials> CredentialsIn(const ServiceAnswer& answer, const std::string& result,
                                  const std::string& doing) {
  const auto text = [&](const char* path) { return XmlText(answer.body.Reveal(), result + path); };
  const auto key_id = text("/Credentials/AccessKeyId");
  auto key = text("/Credentials/SecretAccessKey");
  auto token = text("/Credentials/SessionToken");
  const auto expiration = text("/Credentials/Expiration");
  const auto expires_at = expiration ? core::ParseTime(expiration->Reveal()) : std::nullopt;
  if (!key_id || !IsPlain(key_id->Reveal(), kLongestKeyId) || !key || key->empty() || !token ||
      token->empty() || !expires_at) {
    return Unreadable(answer, result, doing);
  }
  Credentials credentials{.keys = {.access_key_id = std::string(key_id->Reveal()),
                                   .secret_access_key = std::move(*key),
                                   .session_token = std::move(*token)},
                          .expires_at = expires_at};
  if (const auto arn = text("/AssumedRoleUser/Arn")) {
    auto parsed = ParseArn(arn->Reveal(), "AssumedRoleUser");
    if (parsed) credentials.account_id = std::move(parsed->account);
  }
  return credentials;
}

std::vector<Meaning> MeaningsForRole(const ServiceClient& services, const AssumeRoleInput& input,
                                     const Credentials& source) {
  return {{"AccessDenied", ErrorCode::kNotPermitted,
           "allow whom the credentials from " + source.origin + " (key " +
               source.keys.access_key_id + ") belong to sts:AssumeRole on " + input.role_arn +
               ", and name them in that role's trust policy, with its external id if it asks for "
               "one"},
          ValueIsRefused(input,
                         "; duration_seconds may be no longer than the role's maximum, and an hour "
                         "where a role assumes it"),
          RegionIsOff(services)};
}

std::vector<Meaning> MeaningsForWebIdentity(const ServiceClient& services,
                                            const AssumeRoleInput& input) {
  const std::string trust = "see that the trust policy of " + input.role_arn +
                            " allows sts:AssumeRoleWithWebIdentity to this token's ";
  return {{"AccessDenied", ErrorCode::kNotPermitted,
           trust + "provider, and that its conditions fit the token's subject and audience"},
          {"InvalidIdentityToken", ErrorCode::kNotPermitted,
           trust + "issuer, that IAM knows that issuer as an identity provider, and that the file "
                   "holds a token (JWT) for it"},
          {"ExpiredTokenException", ErrorCode::kNotPermitted,
           "let whatever writes the token's file write a new one: it is read at each refresh"},
          {"IDPRejectedClaim", ErrorCode::kNotPermitted,
           "get a new token: its identity provider takes this one back"},
          {"IDPCommunicationError", ErrorCode::kUnavailable,
           "wait; if it lasts, see that AWS can reach the token's identity provider"},
          ValueIsRefused(input, ", such as the session's name"),
          RegionIsOff(services)};
}

}  // namespace

Status CheckRoleArn(const Sourced& role_arn) {
  const std::string_view arn = role_arn.text;
  if (arn.starts_with("arn:") && arn.contains(":iam:") && arn.contains(":role/") &&
      IsPlain(arn, kLongestArn)) {
    return {};
  }
  return Error(ErrorCode::kConfiguration, role_arn.setting + " is not the ARN of a role")
      .With("setting", role_arn.setting)
      .Cure("write it as arn:aws:iam::123456789012:role/name");
}

std::string MakeSessionName(const Clock& clock) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.SystemNow());
  return "qarion-secrets-" + std::to_string(now.time_since_epoch().count());
}

Result<Credentials> AssumeRole(ServiceClient& services, const AssumeRoleInput& input,
                               CredentialCache& source, const net::Call& call) {
  const std::string doing = "sts:AssumeRole of " + input.role_arn;
  net::Form form = RoleForm("AssumeRole", input);
  Credentials signer;
  auto answer = SendSigned(RequestOf(form), source, services, call, signer);
  if (!answer) return std::move(answer).error();
  if (!answer->is_ok()) {
    return ErrorOf(*answer, doing, MeaningsForRole(services, input, signer))
        .With("setting", input.setting);
  }
  return CredentialsIn(*answer, "AssumeRoleResult", doing);
}

Result<Credentials> AssumeRoleWithWebIdentity(ServiceClient& services, const AssumeRoleInput& input,
                                              const Secret& web_identity_token,
                                              const net::Call& call) {
  const std::string doing = "sts:AssumeRoleWithWebIdentity of " + input.role_arn;
  net::Form form = RoleForm("AssumeRoleWithWebIdentity", input);
  form.Add("WebIdentityToken", web_identity_token.Reveal());
  ServiceRequest request = RequestOf(form);
  request.retryable_codes = {"IDPCommunicationError"};
  request.hidden.push_back(web_identity_token.Share());
  auto answer = services.Send(request, call);
  if (!answer) return std::move(answer).error();
  if (!answer->is_ok()) {
    return ErrorOf(*answer, doing, MeaningsForWebIdentity(services, input))
        .With("setting", input.setting);
  }
  return CredentialsIn(*answer, "AssumeRoleWithWebIdentityResult", doing);
}

Result<CallerIdentity> GetCallerIdentity(ServiceClient& services, CredentialCache& source,
                                         const net::Call& call) {
  const std::string doing = "sts:GetCallerIdentity";
  net::Form form = FormOf("GetCallerIdentity");
  Credentials signer;
  auto answer = SendSigned(RequestOf(form), source, services, call, signer);
  if (!answer) return std::move(answer).error();
  if (!answer->is_ok()) return ErrorOf(*answer, doing, {{RegionIsOff(services)}});
  const auto text = [&](const char* name) {
    const auto found =
        XmlText(answer->body.Reveal(), "GetCallerIdentityResult/" + std::string(name));
    return found ? net::OneLine(found->Reveal(), {}, kLongestText) : "";
  };
  CallerIdentity identity{
      .account = text("Account"), .arn = text("Arn"), .user_id = text("UserId")};
  if (identity.account.empty() || identity.arn.empty())
    return Unreadable(*answer, "GetCallerIdentityResult", doing);
  return identity;
}

}  // namespace qarion::secrets::aws
