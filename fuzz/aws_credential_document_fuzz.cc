// Any bytes as a document that credentials of AWS are read from: of a container, an instance, a
// process, SSO's portal, and the file with SSO's token.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/credential_document.h"
#include "aws/sso_token.h"
#include "core/json_document.h"
#include "require.h"

namespace aws = qarion::secrets::aws;
namespace core = qarion::secrets::core;
using qarion::secrets::Result;

namespace {

// What is found is whole, and can be sent in a header; what is refused says how to mend it.
void Check(const Result<aws::Credentials>& found, bool has_token, bool has_end) {
  if (!found) {
    Require(!found.error().reason().empty() && !found.error().cure().empty());
    return;
  }
  Require(!found->keys.access_key_id.empty() && !found->keys.secret_access_key.empty());
  Require(!has_token || !found->keys.session_token.empty());
  Require(!has_end || found->expires_at.has_value());
  for (const std::string_view part :
       {std::string_view(found->keys.access_key_id), found->keys.secret_access_key.Reveal(),
        found->keys.session_token.Reveal()}) {
    Require(part.find_first_of("\r\n ") == std::string_view::npos);
  }
}

// A token comes back as it was from the form in which it is sent and kept.
void CheckToken(const aws::SsoToken& token) {
  const auto request = core::JsonDocument::Parse(aws::RefreshRequest(token).Reveal(), "fuzz");
  Require(request.has_value());
  Require((*request)["clientId"].Text() == std::string_view(token.client_id));
  Require((*request)["clientSecret"].Text() == token.client_secret.Reveal());
  Require((*request)["refreshToken"].Text() == token.refresh_token.Reveal());
  static_cast<void>(aws::ParseSsoTime(token.registration_expires_at));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(aws::ParseSsoTime(text));
  if (const auto token = aws::ParseSsoToken(text, "fuzz")) {
    Require(!token->access_token.empty());
    CheckToken(*token);
  }
  const auto json = core::JsonDocument::Parse(text, "fuzz");
  if (!json) return 0;
  Check(aws::CredentialsFromJson(*json, {.token_name = "SessionToken"}, "fuzz"), false, false);
  Check(aws::CredentialsFromJson(
            *json, {.token_name = "Token", .needs_token = true, .needs_expiration = true}, "fuzz"),
        true, true);
  Check(aws::RoleCredentials((*json)["roleCredentials"]), true, true);
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'600)};
  const aws::SsoToken old;
  if (const auto token = aws::RefreshedToken(json->root(), old, now)) {
    Require(!token->access_token.empty() && token->expires_at > now);
    CheckToken(*token);
  }
  return 0;
}
