#include "providers/vault/login.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/json_writer.h"

namespace qarion::secrets::vault {
namespace {

std::vector<std::string> Texts(const core::JsonValue& array) {
  std::vector<std::string> texts;
  for (const core::JsonValue& element : array.Elements()) {
    if (const auto text = element.Text()) texts.emplace_back(*text);
  }
  return texts;
}

// A lease beyond this is as good as endless, and can be counted in nanoseconds.
std::chrono::seconds LeaseOf(const core::JsonValue& value) {
  constexpr std::int64_t kLongest = std::int64_t{10} * 366 * 24 * 3600;
  return std::chrono::seconds(std::clamp<std::int64_t>(value.Integer().value_or(0), 0, kLongest));
}

std::string TextOf(const core::JsonValue& value) { return std::string(value.Text().value_or("")); }

std::string Said(const ApiAnswer& answer) {
  const std::string errors = answer.Errors();
  return std::to_string(answer.status) + (errors.empty() ? "" : ", " + errors);
}

// The server says 500 of some credentials and roles too, which will not be better a moment later.
bool IsRefusalBy500(const ApiAnswer& answer) {
  constexpr std::string_view kSaid[] = {"failed to verify client's certificate",
                                        "x509: ", "source data must be an array",
                                        "could not load backend configuration", "missing "};
  const std::string said = answer.Errors();
  return answer.status == 500 && std::ranges::any_of(kSaid, [&](std::string_view text) {
           return said.find(text) != std::string::npos;
         });
}

}  // namespace

std::optional<Grant> GrantFromAuth(const core::JsonValue& auth) {
  const auto token = auth["client_token"].Text();
  if (!token || token->empty()) return std::nullopt;
  return Grant{.token = Secret::CopyOf(*token),
               .accessor = TextOf(auth["accessor"]),
               .policies = Texts(auth["policies"]),
               .lease = LeaseOf(auth["lease_duration"]),
               .is_renewable = auth["renewable"].Bool().value_or(false),
               .uses_left = auth["num_uses"].Integer().value_or(0),
               .is_known = true};
}

Grant GrantFromLookup(const core::JsonValue& data, const Secret& token) {
  return Grant{.token = token.Share(),
               .accessor = TextOf(data["accessor"]),
               .policies = Texts(data["policies"]),
               .lease = LeaseOf(data["ttl"]),
               .is_renewable = data["renewable"].Bool().value_or(false),
               .uses_left = data["num_uses"].Integer().value_or(0),
               .is_known = true};
}

Login::Login(const VaultSettings& settings, Api& api, Clock& clock,
             const std::function<void(std::string_view)>& log)
    : settings_(settings.auth),
      name_space_(settings.name_space),
      certificate_(settings.tls),
      api_(api) {
  if (settings_.aws) aws_ = std::make_unique<AwsLogin>(settings_, clock, log, settings.is_traced);
  if (settings_.gcp) {
    gcp_ = std::make_unique<GcpLogin>(settings_, settings.addresses.front().url, clock, log,
                                      settings.is_traced);
  }
}

std::string Login::Path() const {
  std::string base = "auth/" + settings_.mount + "/login";
  switch (settings_.method) {
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap: return base + "/" + settings_.username;
    default: return base;
  }
}

std::string Login::Describe() const {
  if (settings_.method == AuthMethod::kToken) {
    return "token from " +
           (settings_.token.file.empty() ? settings_.token.setting : settings_.token.file);
  }
  std::string text = std::string(ToString(settings_.method)) + " at auth/" + settings_.mount + "/";
  if (!settings_.role.empty()) text += ", role " + settings_.role;
  if (!settings_.username.empty()) text += ", user " + settings_.username;
  return text;
}

std::vector<Secret> Login::Held() const {
  std::vector<Secret> held = held_.All();
  if (aws_) std::ranges::move(aws_->Held(), std::back_inserter(held));
  if (gcp_) std::ranges::move(gcp_->Held(), std::back_inserter(held));
  return held;
}

bool Login::CanRepeat() const {
  return settings_.method != AuthMethod::kToken || !settings_.token.file.empty();
}

std::string Login::CureOfRefusal() const {
  switch (settings_.method) {
    case AuthMethod::kKubernetes:
      return "see that the role is bound to this service account and namespace, and that the "
             "server may review tokens";
    case AuthMethod::kGcp:
      return settings_.gcp_type == GcpLoginType::kIam
                 ? "see that the role is of the type iam and bound to this service account, that "
                   "the server may read the account and its keys, and that clocks are right"
                 : "see that the role is of the type gce, or iam and allows to infer from "
                   "instances, and is bound to this machine and its service account";
    default:
      return "see that the credentials are right, have not expired and belong to " + Path() +
             "; after several wrong ones the server refuses right ones too for a while";
  }
}

Error Login::Refused(const ApiAnswer& answer) const {
  std::string cure = CureOfRefusal();
  if (answer.status == 404) cure = "see that " + Path() + " is there";
  // Of a mount that is not there the server says no more than 403.
  if (answer.status == 403 || answer.status == 404) {
    cure += "; the login was asked for in " +
            (name_space_.empty() ? "no namespace: if it is in one, set VAULT_NAMESPACE"
                                 : "the namespace of VAULT_NAMESPACE, " + name_space_);
  }
  return Error(ErrorCode::kNotPermitted,
               "the login by " + Describe() + " was refused (" + Said(answer) + ")")
      .With("login", Path())
      .Cure(std::move(cure));
}

Result<Grant> Login::Run(const Call& call) {
  const bool was_refused = !std::exchange(refused_, {}).empty();
  refused_wrapping_token_ = {};
  if (settings_.method == AuthMethod::kToken) {
    auto token = settings_.token.ReadToken();
    if (!token) return std::move(token).error();
    held_.Hold("token", *token);
    return Grant{.token = std::move(*token)};
  }
  auto offer = MakeOffer(was_refused, call);
  if (!offer) return std::move(offer).error();
  return Exchange(*offer, call);
}

bool Login::IsKnownToBeRefused() {
  if (!refused_wrapping_token_.empty()) {
    auto given = settings_.secret_id.ReadToken();
    return given && given->ConstantTimeEquals(refused_wrapping_token_);
  }
  if (refused_.empty() || certificate_.FilesStamp() != refused_files_) return false;
  if (!settings_.secret_id_creation_path.empty()) {  // nothing is unwrapped for this
    auto given = settings_.secret_id.ReadToken();
    if (!given || !given->ConstantTimeEquals(unwrapped_from_)) return false;
  }
  // Whether an identity of a cloud has other keys by now can take as long to find out as a login.
  if (aws_ || gcp_) return true;
  auto offer = MakeOffer(/*was_refused=*/false, {});
  return offer && offer->credentials.ConstantTimeEquals(refused_);
}

Result<Login::Offer> Login::MakeOffer(bool was_refused, const Call& call) {
  if (aws_) {
    auto signed_offer = aws_->Sign(was_refused, call);
    if (!signed_offer) return std::move(signed_offer).error();
    return Offer{.body = std::move(signed_offer->body),
                 .credentials = std::move(signed_offer->key),
                 .session_token = std::move(signed_offer->session_token)};
  }
  if (gcp_) {
    auto jwt = gcp_->Sign(call);
    if (!jwt) return std::move(jwt).error();
    held_.Hold("jwt", *jwt);
    Secret body = GcpLoginBody(settings_.role, *jwt);
    return Offer{.body = std::move(body), .credentials = std::move(*jwt)};
  }
  auto body = Body(call);
  if (!body) return std::move(body).error();
  Secret credentials = body->Share();
  return Offer{.body = std::move(*body), .credentials = std::move(credentials)};
}

Result<Secret> Login::Body(const Call& call) {
  core::JsonWriter json;
  json.BeginObject();
  const auto add = [&](std::string_view name, const Result<Secret>& value) {
    if (!value) return false;
    json.Key(name).Text(value->Reveal());
    held_.Hold(name, *value);
    return true;
  };
  switch (settings_.method) {
    case AuthMethod::kToken:
    case AuthMethod::kAws:
    case AuthMethod::kGcp: break;  // see MakeOffer
    case AuthMethod::kAppRole: {
      auto role_id = settings_.role_id.ReadToken();
      if (!add("role_id", role_id)) return role_id;
      if (!settings_.secret_id.exists()) break;
      auto secret_id = SecretId(call);
      if (!add("secret_id", secret_id)) return secret_id;
      break;
    }
    case AuthMethod::kKubernetes:
    case AuthMethod::kJwt: {
      auto jwt = settings_.jwt.ReadToken();
      if (!add("jwt", jwt)) return jwt;
      if (!settings_.role.empty()) json.Key("role").Text(settings_.role);
      break;
    }
    case AuthMethod::kUserpass:
    case AuthMethod::kLdap: {
      auto password = settings_.password.ReadPassword();
      if (!add("password", password)) return password;
      break;
    }
    case AuthMethod::kCert:
      if (!settings_.role.empty()) json.Key("name").Text(settings_.role);
      break;
  }
  json.EndObject();
  return std::move(json).Take();
}

Result<Secret> Login::SecretId(const Call& call) {
  auto given = settings_.secret_id.ReadToken();
  if (!given || settings_.secret_id_creation_path.empty()) return given;
  held_.Hold("wrapping token", *given);
  if (!unwrapped_.empty() && unwrapped_from_.ConstantTimeEquals(*given)) return unwrapped_.Share();
  return Unwrap(*given, call);
}

Result<Secret> Login::Unwrap(const Secret& wrapping_token, const Call& call) {
  const std::string& expected = settings_.secret_id_creation_path;
  const auto refuse = [&](const std::string& problem, const char* cure) {
    refused_wrapping_token_ = wrapping_token.Share();
    return Error(ErrorCode::kNotPermitted,
                 settings_.secret_id.setting + " holds a wrapping token that " + problem)
        .With("setting", settings_.secret_id.setting)
        .Cure(cure);
  };
  core::JsonWriter json;
  json.BeginObject().Key("token").Text(wrapping_token.Reveal()).EndObject();
  auto lookup = api_.Send({.method = "POST",
                           .path = "sys/wrapping/lookup",
                           .body = std::move(json).Take(),
                           .repeats = Repeats::kInTurn},
                          call);
  if (!lookup) return std::move(lookup).error();
  if (lookup->status != 200) {
    return refuse("the server does not know (" + Said(*lookup) + ")",
                  "wrap a new secret id; if nobody of yours unwrapped this one, somebody else did: "
                  "destroy its secret id and look into the audit log");
  }
  const auto path = (*lookup)["data"]["creation_path"].Text();
  if (!path || *path != expected) {
    return refuse("was not made at " + expected + ", so it is not what should be here",
                  "treat it as put there by somebody else, or correct "
                  "VAULT_SECRET_ID_WRAPPING_PATH");
  }
  auto unwrapped = api_.Send({.method = "POST",
                              .path = "sys/wrapping/unwrap",
                              .token = &wrapping_token,
                              .repeats = Repeats::kNever},
                             call);
  if (!unwrapped) {
    return Error(unwrapped.error().code(),
                 "unwrapping the secret id got no answer: " + unwrapped.error().reason())
        .With("setting", settings_.secret_id.setting)
        .Cure(
            "wrap a new secret id if the next try says that this one is not known: the server may "
            "have unwrapped it all the same");
  }
  const auto secret_id = (*unwrapped)["data"]["secret_id"].Text();
  if (unwrapped->status != 200 || !secret_id) {
    return refuse("could not be unwrapped (" + Said(*unwrapped) + ")",
                  "wrap a new secret id; if nobody of yours unwrapped this one, somebody else did");
  }
  unwrapped_ = Secret::CopyOf(*secret_id);
  unwrapped_from_ = wrapping_token.Share();
  refused_wrapping_token_ = {};
  return unwrapped_.Share();
}

Result<Grant> Login::Exchange(const Offer& offer, const Call& call) {
  refused_files_ = certificate_.FilesStamp();
  ApiRequest request{
      .method = "POST", .path = Path(), .body = offer.body.Share(), .repeats = Repeats::kInTurn};
  // Of AWS keys the body has a signature alone, but the server may quote what STS says of it.
  request.hidden.push_back(offer.credentials.Share());
  request.hidden.push_back(offer.session_token.Share());
  auto answer = api_.Send(request, call);
  if (!answer) return std::move(answer).error();
  if (answer->status == 429 || answer->status == 412) {
    return Error(ErrorCode::kTryAgain,
                 "the login by " + Describe() + " was put off (" + Said(*answer) + ")")
        .Cure("wait, or let the server take more logins at a time");
  }
  const core::JsonValue auth = (*answer)["auth"];
  if (answer->status == 200 && auth["mfa_requirement"].IsObject()) {
    refused_ = offer.credentials.Share();
    return Error(ErrorCode::kNotPermitted,
                 "the login by " + Describe() +
                     " asks for a second factor, which no service can give")
        .Cure("exempt this login from multi-factor authentication, or use another method");
  }
  auto grant = answer->status == 200 ? GrantFromAuth(auth) : std::nullopt;
  if (grant) {
    refused_ = {};
    held_.Hold("token", grant->token);
    return std::move(*grant);
  }
  if (answer->status == 200 || answer->status == 204) {
    return Error(ErrorCode::kBadData, "the login by " + Describe() + " brought no token")
        .Cure((*answer)["wrap_info"].IsObject()
                  ? "do not wrap the answers to logins"
                  : "see that the address is that of the server's API");
  }
  if (answer->status >= 500 && !IsRefusalBy500(*answer)) {
    if (answer->status == 500) refused_ = offer.credentials.Share();  // likely again; see Session
    return ErrorOf(*answer, "the login by " + Describe());
  }
  refused_ = offer.credentials.Share();
  return Refused(*answer);
}

}  // namespace qarion::secrets::vault
