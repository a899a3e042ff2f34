#include "providers/vault/answer.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "net/server_text.h"

namespace qarion::secrets::vault {
namespace {

// In memory for secrets: a server may quote what was sent.
Secret Join(const core::JsonValue& texts) {
  SecretBuffer joined;
  for (const core::JsonValue& element : texts.Elements()) {
    auto text = element.Text();
    if (!text) continue;
    // "1 error occurred:\n\t* permission denied\n\n", as Go's multierror writes it.
    constexpr std::string_view kOne = "1 error occurred:";
    if (joined.empty() && text->starts_with(kOne)) {
      text->remove_prefix(kOne.size());
      text->remove_prefix(std::min(text->find_first_not_of(" \t\n*"), text->size()));
    }
    if (!joined.empty()) joined.Append("; ");
    joined.Append(*text);
  }
  return std::move(joined).Seal();
}

bool Says(std::string_view body, std::string_view text) {
  return body.find(text) != std::string_view::npos;
}

}  // namespace

std::string ApiAnswer::OneLineOf(std::string_view member) const {
  const Secret text = Join((*this)[member]);
  if (text.empty()) return "";
  std::vector<Secret> hidden;
  for (const Secret& credential : sent) {
    hidden.push_back(credential.Share());
    const auto fields = core::JsonDocument::Parse(credential.Reveal(), "the request");
    if (!fields) continue;
    for (const std::string_view name : fields->root().Names()) {
      constexpr std::string_view kPublic[] = {"role", "name", "iam_http_request_method"};
      if (std::ranges::find(kPublic, name) != std::end(kPublic)) continue;
      if (const auto value = (*fields)[name].Text()) hidden.push_back(Secret::CopyOf(*value));
    }
  }
  return net::OneLine(text.Reveal(), hidden);
}

std::string ApiAnswer::Errors() const { return OneLineOf("errors"); }
std::string ApiAnswer::Warnings() const { return OneLineOf("warnings"); }

bool ApiAnswer::IsOfTheApi() const {
  return (*this)["errors"].exists() || (*this)["data"].exists() || (*this)["request_id"].exists();
}

bool ApiAnswer::IsAboutPolicies() const {
  return Says(body.Reveal(), "1 error occurred") && !Says(body.Reveal(), "invalid token");
}

bool IsOfSomethingElse(const net::HttpResponse& response) {
  const std::string_view body = response.body.Reveal();
  if (response.status == 200) {
    const auto type = response.Find("content-type");
    return type && !IsJson(*type);
  }
  return response.status >= 400 && response.status < 500 && !Says(body, "\"errors\"") &&
         !Says(body, "\"data\"") && !Says(body, "\"request_id\"");
}

bool IsJson(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return core::EqualsIgnoringCase(content_type.substr(0, kJson.size()), kJson);
}

bool IsUnableNow(const net::HttpResponse& response) {
  switch (response.status) {
    case 502:
    case 503:
    case 504: return true;
    case 500:
      return Says(response.body.Reveal(), "node not active") ||
             Says(response.body.Reveal(), "leadership lost");
    default: return false;
  }
}

Error ErrorOf(const ApiAnswer& answer, const std::string& doing) {
  const std::string said = answer.Errors();
  const std::string reason = doing + " failed: " + answer.address + " answered " +
                             std::to_string(answer.status) + (said.empty() ? "" : ", " + said);
  const auto error = [&](ErrorCode code, const char* cure) {
    return Error(code, reason).With("status", std::to_string(answer.status)).Cure(cure);
  };
  const std::string_view body = answer.body.Reveal();
  if (answer.status == 400 && Says(body, "HTTP request to an HTTPS server")) {
    return error(ErrorCode::kConfiguration, "let VAULT_ADDR begin with https://");
  }
  if (answer.status < 500 && !answer.IsOfTheApi()) {
    // A proxy without a server behind it says so too: that tells nothing of the secret.
    return Error(ErrorCode::kUnavailable, doing + " failed: something before the server answered " +
                                              std::to_string(answer.status) + " at " +
                                              answer.address)
        .With("status", std::to_string(answer.status))
        .Cure(
            "see that the address is that of the server's API, and that what stands before it "
            "passes requests on");
  }
  switch (answer.status) {
    case 400:
      // "Upgrading from", or "Waiting for the primary to upgrade from".
      if (Says(body, "from non-versioned to versioned data")) {
        return error(ErrorCode::kTryAgain, "wait: the engine was mounted or upgraded a moment ago");
      }
      break;
    case 401:
    case 403: return error(ErrorCode::kNotPermitted, "see the policies of the token");
    case 412:
      if (Says(body, "X-Vault-Request")) break;
      return error(ErrorCode::kTryAgain, "wait until the server has caught up");
    case 429: return error(ErrorCode::kTryAgain, "wait, or raise the server's rate limit quota");
    case 503:
      if (Says(body, "sealed")) {
        return error(ErrorCode::kUnavailable, "unseal the server: bao operator unseal");
      }
      return error(ErrorCode::kUnavailable, "see the state of the server: bao status");
    default: break;
  }
  if (answer.status >= 500) {
    return error(ErrorCode::kUnavailable, "see the log of the server");
  }
  return error(ErrorCode::kConfiguration,
               "see that VAULT_ADDR is the address of the server's API, and that the settings are "
               "right");
}

}  // namespace qarion::secrets::vault
