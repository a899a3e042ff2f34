#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/fixed_clock.h"
#include "cli/jwt.h"
#include "cli/jwt_keys.h"
#include "cli/output.h"
#include "cli/shown_json.h"
#include "cli/token_arguments.h"
#include "core/json_writer.h"
#include "qarion/secrets/jwt_verifier.h"

namespace qarion::secrets::cli {
namespace {

struct VerifyOptions {
  RingOptions ring;
  std::optional<std::string> token;
  std::string format;
  std::string issuer;
  std::string audience;
  std::string subject;
  std::string type;
  std::optional<std::int64_t> leeway;
  std::optional<std::int64_t> max_lifetime;
  std::optional<std::int64_t> now;
  // What is given up.
  bool allows_missing_expiry = false;
  bool allows_any_lifetime = false;
  bool allows_any_audience = false;
  bool allows_any_type = false;
};

jwt::Verifier Demand(const VerifyOptions& options, jwt::Verifier verifier) {
  if (!options.issuer.empty()) verifier = std::move(verifier).RequireIssuer(options.issuer);
  if (!options.audience.empty()) verifier = std::move(verifier).RequireAudience(options.audience);
  if (!options.subject.empty()) verifier = std::move(verifier).RequireSubject(options.subject);
  if (!options.type.empty()) verifier = std::move(verifier).RequireType(options.type);
  if (options.leeway) verifier = std::move(verifier).Leeway(std::chrono::seconds(*options.leeway));
  if (options.max_lifetime) {
    verifier = std::move(verifier).AcceptLifetimesUpTo(std::chrono::seconds(*options.max_lifetime));
  }
  return std::move(verifier).UseClock(ClockOf(options.now));
}

jwt::Verifier Relax(const VerifyOptions& options, jwt::Verifier verifier) {
  if (options.ring.allows_weak_keys) verifier = std::move(verifier).AcceptWeakKeys();
  if (options.allows_missing_expiry) verifier = std::move(verifier).AcceptMissingExpiry();
  if (options.allows_any_lifetime)
    verifier = std::move(verifier).AcceptLifetimesUpTo(std::chrono::seconds::max());
  if (options.allows_any_audience) verifier = std::move(verifier).AcceptAnyAudience();
  if (options.allows_any_type) verifier = std::move(verifier).AcceptAnyType();
  return verifier;
}

std::string AcceptedJson(const jwt::VerifiedToken& token, const std::string& kid,
                         std::string_view header) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("valid").Bool(true);
  json.Key("key").Text(jwt::ToString(token.key())).Key("kid").Text(kid);
  json.Key("header").Json(header).Key("claims").Json(token.claims().json()).EndObject();
  return ShownJson(std::move(json).Take().Reveal()) + "\n";
}

int Accept(const VerifyOptions& options, const std::string& text, const jwt::VerifiedToken& token,
           const KeyIds& ids) {
  if (options.format != "json") {
    SayVerified(token.key(), ids);
    return Print(ShownJson(token.claims().json()) + "\n");
  }
  // The header is signed too.
  const auto parts = jwt::UnverifiedToken::Read(text);
  if (!parts) return Report(parts.error());
  return Print(AcceptedJson(token, ids.Of(token.key()), parts->unverified_header().json()));
}

int Refuse(const VerifyOptions& options, const Error& error) {
  const auto rejection = jwt::RejectionOf(error);
  if (options.format == "json" && rejection) {
    core::JsonWriter json;
    json.BeginObject().Key("valid").Bool(false);
    json.Key("reason").Text(ToString(*rejection)).EndObject();
    if (const int status = Print(std::move(json).Take().Reveal()); status != 0) return status;
  }
  return Report(error);
}

int RunVerify(const VerifyOptions& options) {
  auto keys = ReadRing(options.ring);
  if (!keys) return Report(keys.error());
  const KeyIds ids(*keys);
  const jwt::Verifier verifier = Relax(
      options, Demand(options, jwt::Verifier::With(*std::move(keys), options.ring.algorithm)));
  const auto text = ReadToken(options.token, kMostJwtBytes);
  if (!text) return Report(text.error());
  const auto token = verifier.Verify(*text);
  if (!token) return Refuse(options, token.error());
  return Accept(options, *text, *token, ids);
}

void AddDemands(CLI::App& app, VerifyOptions& options) {
  AddTextOption(app, "--issuer", options.issuer, "Demand this `iss`");
  AddTextOption(app, "--subject", options.subject, "Demand this `sub`");
  CLI::Option* const audience =
      AddTextOption(app, "--audience", options.audience, "Demand that `aud` is or has this");
  CLI::Option* const type = AddTextOption(app, "--typ", options.type, "Demand this `typ`");
  AddSecondsOption(app, "--leeway", options.leeway, "How far clocks may differ (0)");
  CLI::Option* const lifetime = AddSecondsOption(app, "--max-lifetime", options.max_lifetime,
                                                 "The longest life that is accepted (1800)");
  app.add_flag("--allow-missing-expiry", options.allows_missing_expiry,
               "Accept a token without `exp`: a stolen one serves for ever");
  app.add_flag("--any-lifetime", options.allows_any_lifetime,
               "Accept every `exp`: a stolen token serves as long as it says")
      ->excludes(lifetime);
  app.add_flag("--any-audience", options.allows_any_audience,
               "Accept every `aud`: tokens for other services too")
      ->excludes(audience);
  app.add_flag("--any-type", options.allows_any_type, "Accept every `typ`: refresh tokens too, say")
      ->excludes(type);
}

}  // namespace

void AddJwtVerify(CLI::App& jwt, Command& command) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify = jwt.add_subcommand("verify", "Verify a token, and show its claims");
  AddTokenArgument(*verify, options->token);
  AddRingOptions(*verify, options->ring);
  AddDemands(*verify, *options);
  AddSecondsOption(*verify, "--now", options->now,
                   "Judge it so many seconds after 1970 in place of now");
  AddOutputOption(*verify, options->format, {"text", "json"});
  verify->footer(
      "Keys are SECRET_KEY, SECRET_KEY_PREVIOUS and SECRET_KEY_NEXT of the backend, or those of "
      "files.\n"
      "The claims are written to standard output, and which key had signed them to standard error. "
      "Exit\n"
      "status 65 and a stable reason such as `expired` where the token is refused.\n"
      "Prefer standard input: every user of this machine can see a token on a command line, and "
      "use it.\n\n"
      "Examples:\n"
      "  qsecrets jwt verify --issuer api < token.jwt\n"
      "  qsecrets jwt verify --output json --subject alice < token.jwt");
  verify->callback([options, &command] { command = [options] { return RunVerify(*options); }; });
}

}  // namespace qarion::secrets::cli
