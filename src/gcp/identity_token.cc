#include "gcp/identity_token.h"

#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/json_writer.h"
#include "core/percent_encoding.h"
#include "gcp/api_answer.h"
#include "gcp/principal.h"
#include "net/retry.h"

namespace qarion::secrets::gcp {
namespace {

constexpr int kMostTokenAttempts = 3;

Result<Secret> Checked(std::string_view token, const std::string& doing) {
  if (!token.empty() && core::IsVisible(token)) return Secret::CopyOf(token);
  return Error(ErrorCode::kBadData, doing + " brought no token that can be sent")
      .Cure("see that it is Google that answers");
}

}  // namespace

ApiRequest SigningRequest(std::string_view email, const std::string& universe,
                          const Secret& claims) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("payload").Text(claims.Reveal()).EndObject();
  return {.method = "POST",
          .url = AccountUrl(universe, email, "signJwt"),
          .routing = "",
          .body = std::string(std::move(json).Take().Reveal())};
}

Result<Secret> SignByGoogle(Session& session, std::string_view email, const Secret& claims,
                            const net::Call& call) {
  const auto universe = session.Universe(call);
  if (!universe) return universe.error();
  const std::string doing = "signing in the name of " + std::string(email);
  const auto answer =
      session.Send(SigningRequest(email, *universe, claims),
                   {.most_attempts = kMostTokenAttempts, .is_worth_another_try = IsBusy}, call);
  if (!answer) return answer.error();
  if (!answer->is_ok()) {
    const std::string asker = session.Principal(call);
    const std::string account(email);
    return WithGrants(ErrorOf(*answer, doing, asker, session.clock().SystemNow()), asker,
                      {&account, 1});
  }
  if (!answer->json) return NotOfGoogle(*answer, doing);
  return Checked((*answer)["signedJwt"].Text().value_or(""), doing);
}

std::string IdentityPath(std::string_view account, std::string_view audience) {
  return "instance/service-accounts/" + core::PercentEncoded(account, "@") +
         "/identity?audience=" + core::PercentEncoded(audience) + "&format=full";
}

Result<Secret> MachineIdentity(Session& session, std::string_view account,
                               std::string_view audience, const net::Call& call) {
  const auto body = session.GetMetadata(IdentityPath(account, audience), call);
  if (!body) return body.error();
  return Checked(core::Trimmed(body->Reveal()), "asking the metadata server for an identity");
}

}  // namespace qarion::secrets::gcp
