#include "gcp/token_request.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/ascii.h"
#include "core/json_writer.h"
#include "core/percent_encoding.h"
#include "core/rfc3339.h"
#include "crypto/base64.h"
#include "net/form.h"
#include "net/server_text.h"

namespace qarion::secrets::gcp {
namespace {

// Of Google's own users: no file says another one.
constexpr char kUserTokenUrl[] = "https://oauth2.googleapis.com/token";
constexpr char kTokenType[] = "urn:ietf:params:oauth:token-type:access_token";
constexpr std::int64_t kLongestLife = std::int64_t{366} * 24 * 3600;

net::HttpRequest FormRequest(const std::string& url, net::Form& form) {
  net::HttpRequest request{.method = "POST", .url = url, .body = form.Take()};
  request.headers.push_back(net::FormType());
  request.headers.push_back({"Accept", Secret::CopyOf("application/json")});
  return request;
}

// Who the client is (RFC 7617), not percent-encoded first, as Google's libraries have it.
net::HttpHeader BasicAuthorization(const std::string& id, const Secret& secret) {
  SecretBuffer both;
  both.Append(id);
  both.Append(':');
  both.Append(secret.Reveal());
  SecretBuffer header;
  header.Append("Basic ");
  header.Append(crypto::EncodeBase64(both.Reveal()).Reveal());
  return {"Authorization", std::move(header).Seal()};
}

// {"userProject":"p"}, percent-encoded once before the form is.
std::string WorkforceOptions(const std::string& project) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("userProject").Text(project).EndObject();
  return core::PercentEncoded(std::move(json).Take().Reveal());
}

Error NoToken(const std::string& doing, const char* problem) {
  return Error(ErrorCode::kBadData, doing + ": the answer " + problem)
      .Cure("see that the URL is that of Google's token endpoint");
}

Result<AccessToken> Checked(std::optional<std::string_view> text, const std::string& doing) {
  if (!text || text->empty()) return NoToken(doing, "has no token in it");
  if (!core::IsVisible(*text)) return NoToken(doing, "has a token in it that cannot be sent");
  return AccessToken{.text = Secret::CopyOf(*text), .expires_at = {}};
}

std::optional<std::int64_t> SecondsIn(const core::JsonValue& value) {
  if (const auto number = value.Integer()) return number;
  const auto text = value.Text();
  std::int64_t number = 0;
  if (!text) return std::nullopt;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == text->data() + text->size();
  return is_whole ? std::optional(number) : std::nullopt;
}

}  // namespace

net::HttpRequest GrantRequest(const ServiceAccount& account, const Secret& assertion) {
  net::Form form;
  form.Add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
  form.Add("assertion", assertion.Reveal());
  return FormRequest(account.token_uri, form);
}

net::HttpRequest RefreshRequest(const AuthorizedUser& user) {
  net::Form form;
  form.Add("grant_type", "refresh_token");
  form.Add("client_id", user.client_id);
  form.Add("client_secret", user.client_secret.Reveal());
  form.Add("refresh_token", user.refresh_token.Reveal());
  return FormRequest(kUserTokenUrl, form);
}

net::HttpRequest RefreshRequest(const ExternalUser& user) {
  net::Form form;
  form.Add("grant_type", "refresh_token");
  form.Add("refresh_token", user.refresh_token.Reveal());
  net::HttpRequest request = FormRequest(user.token_url, form);
  request.headers.push_back(BasicAuthorization(user.client_id, user.client_secret));
  return request;
}

net::HttpRequest ExchangeRequest(const ExternalAccount& account, const Secret& subject_token) {
  net::Form form;
  form.Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
  form.Add("audience", account.audience);
  form.Add("scope", account.impersonated_email.empty() ? kCloudScope : kIamScope);
  form.Add("requested_token_type", kTokenType);
  form.Add("subject_token", subject_token.Reveal());
  form.Add("subject_token_type", account.subject_token_type);
  const bool names_client = !account.client_id.empty();
  if (!account.workforce_user_project.empty() && !names_client) {
    form.Add("options", WorkforceOptions(account.workforce_user_project));
  }
  net::HttpRequest request = FormRequest(account.token_url, form);
  if (names_client) {
    request.headers.push_back(BasicAuthorization(account.client_id, account.client_secret));
  }
  return request;
}

net::HttpRequest ImpersonationRequest(const Impersonation& impersonation, const Secret& bearer) {
  constexpr std::string_view kAccounts = "projects/-/serviceAccounts/";
  core::JsonWriter json;
  json.BeginObject();
  if (!impersonation.delegates.empty()) {
    json.Key("delegates").BeginArray();
    for (const std::string& name : impersonation.delegates) {
      json.Text(name.starts_with("projects/") ? name : std::string(kAccounts) + name);
    }
    json.EndArray();
  }
  json.Key("scope").BeginArray().Text(kCloudScope).EndArray();
  json.Key("lifetime").Text(std::to_string(impersonation.lifetime.count()) + "s").EndObject();

  net::HttpRequest request{
      .method = "POST",
      .url = AccountUrl(impersonation.universe, impersonation.email, "generateAccessToken"),
      .body = std::move(json).Take()};
  request.headers.push_back({"Content-Type", Secret::CopyOf("application/json")});
  request.headers.push_back(BearerAuthorization(bearer));
  return request;
}

std::string AccountUrl(const std::string& universe, std::string_view email,
                       const std::string& method) {
  return "https://iamcredentials." + universe + "/v1/projects/-/serviceAccounts/" +
         core::PercentEncoded(email, "@") + ":" + method;
}

net::HttpHeader BearerAuthorization(const Secret& token) {
  SecretBuffer header;
  header.Append("Bearer ");
  header.Append(token.Reveal());
  return {"Authorization", std::move(header).Seal()};
}

Result<AccessToken> TokenIn(const core::JsonDocument& answer, const std::string& doing,
                            std::chrono::system_clock::time_point now) {
  auto token = Checked(answer["access_token"].Text(), doing);
  if (!token) return token;
  token->scope = net::OneLine(answer["scope"].Text().value_or(""), {});
  if (!answer["expires_in"].exists()) return token;
  const auto seconds = SecondsIn(answer["expires_in"]);
  if (!seconds || *seconds <= 0) return NoToken(doing, "has an expires_in that is no time");
  token->expires_at = now + std::chrono::seconds(std::min(*seconds, kLongestLife));
  return token;
}

Result<AccessToken> ImpersonatedTokenIn(const core::JsonDocument& answer,
                                        const std::string& doing) {
  auto token = Checked(answer["accessToken"].Text(), doing);
  if (!token) return token;
  token->expires_at = core::ParseTime(answer["expireTime"].Text().value_or(""));
  if (!token->expires_at) return NoToken(doing, "has no expireTime that is a time");
  token->scope = kCloudScope;  // as it was asked for
  return token;
}

}  // namespace qarion::secrets::gcp
