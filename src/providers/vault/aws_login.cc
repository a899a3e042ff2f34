#include "providers/vault/aws_login.h"

#include <utility>

#include "aws/endpoint.h"
#include "core/json_writer.h"
#include "crypto/base64.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

constexpr char kGlobalSts[] = "https://sts.amazonaws.com";
constexpr char kGlobalStsRegion[] = "us-east-1";
constexpr std::string_view kBody = "Action=GetCallerIdentity&Version=2011-06-15";

Result<aws::Endpoint> StsOf(const AuthSettings& settings) {
  if (settings.aws_sts_region.empty()) {
    return aws::Endpoint{.url = kGlobalSts, .signing_region = kGlobalStsRegion};
  }
  return aws::ResolveEndpoint(aws::Service::kSts, settings.aws_sts_region, {});
}

void AddBase64(core::JsonWriter& json, std::string_view name, std::string_view bytes) {
  json.Key(name).Text(crypto::EncodeBase64(bytes).Reveal());
}

}  // namespace

Result<Secret> AwsLoginBody(const AuthSettings& settings, const crypto::SigningCredentials& keys,
                            std::chrono::sys_seconds time) {
  const auto endpoint = StsOf(settings);
  if (!endpoint) return endpoint.error();
  const auto url = net::ParseUrl(endpoint->url);
  if (!url) return Error(ErrorCode::kInternal, "the endpoint of STS is no URL");
  const std::string length = std::to_string(kBody.size());
  crypto::SigningRequest request{.method = "POST", .path = "/", .payload = kBody};
  request.headers = {{"Host", url->host},
                     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                     {"Content-Length", length}};
  if (!settings.aws_server_id.empty()) {
    request.headers.push_back({"X-Vault-AWS-IAM-Server-ID", settings.aws_server_id});
  }
  auto signature = crypto::SignWithHeaders(
      request, keys, {.region = endpoint->signing_region, .service = "sts"}, time);
  if (!signature) return std::move(signature).error();

  core::JsonWriter headers;
  headers.BeginObject();
  for (const auto& [name, value] : request.headers) headers.Key(name).Text(value);
  for (const auto& [name, value] : signature->headers) headers.Key(name).Text(value.Reveal());
  headers.EndObject();
  core::JsonWriter json;
  json.BeginObject();
  if (!settings.role.empty()) json.Key("role").Text(settings.role);
  json.Key("iam_http_request_method").Text("POST");
  AddBase64(json, "iam_request_url", endpoint->url + "/");
  AddBase64(json, "iam_request_body", kBody);
  AddBase64(json, "iam_request_headers", std::move(headers).Take().Reveal());
  json.EndObject();
  return std::move(json).Take();
}

AwsLogin::AwsLogin(const AuthSettings& settings, Clock& clock,
                   const std::function<void(std::string_view)>& log, bool is_traced)
    : settings_(settings),
      session_(*settings.aws,
               settings.aws->client.region.text.empty() ? kGlobalStsRegion
                                                        : settings.aws->client.region.text,
               clock, log, is_traced) {}

Result<AwsLogin::Offer> AwsLogin::Sign(bool was_refused, const net::Call& call) {
  auto credentials = session_.GetCredentials(call);
  if (!credentials) return std::move(credentials).error();
  if (was_refused) {
    auto others = session_.ReplaceCredentials(*credentials, call);
    if (!others) return std::move(others).error();
    if (*others) credentials = std::move(**others);
  }
  auto body = AwsLoginBody(
      settings_, credentials->keys,
      std::chrono::floor<std::chrono::seconds>(session_.services().clock().SystemNow()));
  if (!body) return std::move(body).error();
  return Offer{.body = std::move(*body),
               .key = credentials->keys.secret_access_key.Share(),
               .session_token = credentials->keys.session_token.Share()};
}

}  // namespace qarion::secrets::vault
