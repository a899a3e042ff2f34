#include "providers/vault/gcp_login.h"

#include <utility>
#include <variant>

#include "core/json_writer.h"
#include "crypto/rsa_key.h"
#include "gcp/identity_token.h"
#include "gcp/principal.h"
#include "gcp/signed_token.h"
#include "gcp/token_source.h"

namespace qarion::secrets::vault {
namespace {

// Roles take what ends within 15 minutes from now, or as their max_jwt_exp says. This fits shorter
// ones, too, and clocks that are some minutes apart.
constexpr std::chrono::minutes kLife{5};

// What a service account with a key asks to sign in another one's name.
constexpr char kSigner[] = "https://iamcredentials.googleapis.com/";

}  // namespace

Secret GcpLoginBody(std::string_view role, const Secret& jwt) {
  core::JsonWriter json;
  json.BeginObject().Key("role").Text(role).Key("jwt").Text(jwt.Reveal()).EndObject();
  return std::move(json).Take();
}

GcpLogin::GcpLogin(const AuthSettings& settings, std::string address, Clock& clock,
                   const std::function<void(std::string_view)>& log, bool is_traced)
    : settings_(settings),
      address_(std::move(address)),
      session_(*settings.gcp, {.audience = kSigner, .scope = ""}, clock, log, is_traced) {}

std::chrono::sys_seconds GcpLogin::Now() const {
  return std::chrono::floor<std::chrono::seconds>(session_.clock().SystemNow());
}

Result<Secret> GcpLogin::Sign(const net::Call& call) {
  return settings_.gcp_type == GcpLoginType::kIam ? SignByAccount(call) : AskMachine(call);
}

Result<Secret> GcpLogin::SignByAccount(const net::Call& call) {
  std::string email = settings_.gcp_service_account;
  if (!settings_.gcp->file) return SignInName(std::move(email), call);
  const core::Sourced& place = settings_.gcp->client.credential_file;
  const auto file = gcp::ReadCredentialFile(place);
  if (!file) return file.error();
  session_.Hold(*file);
  if (email.empty()) email = gcp::AccountIn(gcp::PrincipalOf(*file));
  const auto* const account = std::get_if<gcp::ServiceAccount>(&file->identity);
  if (account == nullptr || account->client_email != email) {
    return SignInName(std::move(email), call);
  }
  if (account->private_key_id.empty()) {  // by which the server finds the public key
    return Error(ErrorCode::kBadData, place.text + ": private_key_id is missing or empty")
        .With("file", place.text)
        .Cure("download the file anew: the server needs to know which key signed");
  }
  const auto key =
      crypto::ReadRsaPrivateKey(account->private_key.Reveal(), "private_key in " + place.text);
  if (!key) return key.error();
  return gcp::SignedIdentity(
      *account, *key,
      {.subject = std::move(email), .audience = "vault/" + settings_.role, .life = kLife}, Now());
}

Result<Secret> GcpLogin::SignInName(std::string email, const net::Call& call) {
  if (email.empty()) {
    // Where there is no identity at all, this says so.
    const auto token = session_.Token(call);
    if (!token) return token.error();
    email = gcp::AccountIn(session_.Principal(call));
  }
  if (email.empty()) {
    return Error(ErrorCode::kConfiguration, "it is not known which service account to log in as")
        .Cure("set VAULT_GCP_SERVICE_ACCOUNT to its e-mail address");
  }
  const Secret claims = gcp::ClaimsText(
      {.subject = email, .audience = "vault/" + settings_.role, .life = kLife}, Now());
  return gcp::SignByGoogle(session_, email, claims, call);
}

// The audience ends as the server demands and names it before, so that no other takes it for its
// own.
Result<Secret> GcpLogin::AskMachine(const net::Call& call) {
  const std::string& account = settings_.gcp_service_account;
  auto token = gcp::MachineIdentity(session_, account.empty() ? "default" : account,
                                    address_ + "/vault/" + settings_.role, call);
  if (token || !settings_.gcp->file) return token;
  return Error(token.error().code(), "no service account is in " +
                                         settings_.gcp->client.credential_file.text +
                                         ", and as this machine: " + token.error().reason())
      .Cure(
          "set VAULT_GCP_SERVICE_ACCOUNT to a service account that whoever is in the file may "
          "sign for; as a machine of Google's, " +
          token.error().cure());
}

}  // namespace qarion::secrets::vault
