#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/fixed_clock.h"
#include "cli/input.h"
#include "cli/jwt.h"
#include "cli/jwt_keys.h"
#include "cli/output.h"
#include "cli/token_arguments.h"
#include "core/files.h"
#include "core/json_writer.h"
#include "qarion/secrets/jwt_claims.h"
#include "qarion/secrets/jwt_signer.h"

namespace qarion::secrets::cli {
namespace {

constexpr char kClaim[] = "--claim";
constexpr char kClaimsJson[] = "--claims-json";

struct SignOptions {
  std::string key_file;
  jwt::Algorithm algorithm = jwt::Algorithm::kHs256;
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;
  std::string id;
  std::optional<std::int64_t> not_before;
  std::vector<std::string> claims;
  std::string claims_file;
  std::optional<std::int64_t> ttl;
  std::string type;
  std::optional<std::int64_t> now;
  bool omits_key_id = false;
};

// The claims of the command line, each once.
class GivenClaims {
 public:
  // Where `option` says something of the claim.
  Status Note(std::string_view name, const std::string& option) {
    const auto [found, is_new] = options_.emplace(name, option);
    if (is_new) return {};
    return Error(ErrorCode::kUsage, "the claim '" + std::string(name) + "' is given twice, with " +
                                        found->second + " and " + option)
        .Cure("leave one of them out");
  }

  Status AddText(std::string_view name, const std::string& value, const std::string& option) {
    if (value.empty()) return {};
    builder_.Text(name, value);
    return Note(name, option);
  }

  Status AddMembers(const jwt::Claims& claims, const std::string& option) {
    for (const std::string_view name : claims.names()) {
      builder_.Json(name, *claims.Json(name));
      if (Status noted = Note(name, option); !noted) return noted;
    }
    return {};
  }

  jwt::ClaimsBuilder& builder() noexcept { return builder_; }

 private:
  jwt::ClaimsBuilder builder_;
  std::map<std::string, std::string, std::less<>> options_;  // by claim
};

Status AddClaim(const std::string& given, GivenClaims& claims) {
  const std::size_t equals = given.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error(ErrorCode::kUsage, std::string(kClaim) + " is no NAME=JSON")
        .Cure("write --claim NAME=JSON: --claim admin=true");
  }
  core::JsonWriter member(core::JsonLayout::kCompact);
  member.BeginObject()
      .Key(std::string_view(given).substr(0, equals))
      .Json(std::string_view(given).substr(equals + 1))
      .EndObject();
  const auto parsed = jwt::Claims::Parse(std::move(member).Take().Reveal());
  if (!parsed || parsed->names().size() != 1) {
    return Error(ErrorCode::kUsage, std::string(kClaim) + ": the value of '" +
                                        given.substr(0, equals) + "' is not JSON")
        .Cure("quote strings for JSON, and all for the shell: --claim 'role=\"admin\"'");
  }
  return claims.AddMembers(*parsed, kClaim);
}

Result<Secret> ReadClaimsText(const std::string& path) {
  if (path != "-") {
    return core::ReadFile(path, kClaimsJson, core::PipesAllowed::kYes)
        .transform([](core::FileContents file) { return std::move(file.bytes); });
  }
  return ReadStandardInput(core::kMaxFileBytes).transform([](SecretBuffer input) {
    return std::move(input).Seal();
  });
}

Status AddClaimsFile(const std::string& path, GivenClaims& claims) {
  const auto text = ReadClaimsText(path);
  if (!text) return text.error();
  const auto parsed = jwt::Claims::Parse(text->Reveal());
  if (!parsed) {
    return Error(parsed.error().code(), std::string(kClaimsJson) + ": " + parsed.error().reason())
        .Cure("give one JSON object with no name twice in it");
  }
  return claims.AddMembers(*parsed, kClaimsJson);
}

Status AddRegistered(const SignOptions& options, GivenClaims& claims) {
  const std::vector<std::tuple<const char*, const std::string&, const char*>> texts = {
      {"iss", options.issuer, "--issuer"},
      {"sub", options.subject, "--subject"},
      {"jti", options.id, "--id"}};
  for (const auto& [name, value, option] : texts) {
    if (Status added = claims.AddText(name, value, option); !added) return added;
  }
  if (!options.audience.empty()) {
    if (options.audience.size() == 1) {
      claims.builder().Audience(options.audience.front());
    } else {
      claims.builder().Audience(options.audience);
    }
    if (Status noted = claims.Note("aud", "--audience"); !noted) return noted;
  }
  if (options.not_before) {
    claims.builder().NotBefore(jwt::Time(std::chrono::seconds(*options.not_before)));
    if (Status noted = claims.Note("nbf", "--not-before"); !noted) return noted;
  }
  return options.ttl ? claims.Note("exp", "--ttl") : Status();
}

Status Gather(const SignOptions& options, GivenClaims& claims) {
  if (Status added = AddRegistered(options, claims); !added) return added;
  if (!options.claims_file.empty()) {
    if (Status added = AddClaimsFile(options.claims_file, claims); !added) return added;
  }
  for (const std::string& claim : options.claims) {
    if (Status added = AddClaim(claim, claims); !added) return added;
  }
  return {};
}

Result<jwt::Signer> MakeSigner(const SignOptions& options) {
  auto key = ReadSigningKey(options.key_file, options.algorithm);
  if (!key) return std::move(key).error();
  auto made = jwt::Signer::With(*std::move(key), options.algorithm);
  if (!made) return made;
  jwt::Signer signer = (*std::move(made)).UseClock(ClockOf(options.now));
  if (!options.type.empty()) signer = std::move(signer).Type(options.type);
  if (options.ttl) signer = std::move(signer).Lifetime(std::chrono::seconds(*options.ttl));
  if (options.omits_key_id) signer = std::move(signer).OmitKeyId();
  return signer;
}

int RunSign(const SignOptions& options) {
  const auto signer = MakeSigner(options);
  if (!signer) return Report(signer.error());
  GivenClaims claims;
  if (const Status gathered = Gather(options, claims); !gathered) return Report(gathered.error());
  const auto token = signer->Sign(claims.builder());
  return token ? Print(*token + "\n") : Report(token.error());
}

void AddRepeatedOption(CLI::App& app, const char* name, std::vector<std::string>& values,
                       const char* description, const char* type) {
  app.add_option(name, values, description)
      ->allow_extra_args(false)
      ->check(RefuseNoName)
      ->type_name(type);
}

void AddClaimOptions(CLI::App& app, SignOptions& options) {
  AddTextOption(app, "--issuer", options.issuer, "Who issues the token: `iss`");
  AddTextOption(app, "--subject", options.subject, "Whom it is about: `sub`");
  AddRepeatedOption(app, "--audience", options.audience, "Whom it is for: `aud`; may be repeated",
                    "TEXT");
  AddTextOption(app, "--id", options.id, "What tells it from others: `jti`");
  AddSecondsOption(app, "--not-before", options.not_before,
                   "From when on it is valid, in seconds after 1970: `nbf`");
  AddRepeatedOption(app, kClaim, options.claims,
                    "A further claim: admin=true, 'role=\"admin\"'; may be repeated", "NAME=JSON");
  app.add_option(kClaimsJson, options.claims_file,
                 "Take claims from this file, or standard input where it is -: one JSON object")
      ->check(RefuseNoName)
      ->type_name("FILE");
}

}  // namespace

void AddJwtSign(CLI::App& jwt, Command& command) {
  auto options = std::make_shared<SignOptions>();
  CLI::App* sign = jwt.add_subcommand("sign", "Sign a token");
  AddClaimOptions(*sign, *options);
  AddSecondsOption(*sign, "--ttl", options->ttl, "How long it is valid (1800): `exp`");
  AddTextOption(*sign, "--typ", options->type, "What kind of token it is, in its header (JWT)");
  sign->add_flag("--no-kid", options->omits_key_id,
                 "Leave out `kid`, for verifiers that mistake it for another");
  AddJwtKeyFileOption(*sign, options->key_file);
  AddAlgorithmOption(*sign, options->algorithm);
  AddSecondsOption(*sign, "--now", options->now,
                   "Date the token so many seconds after 1970 in place of now");
  sign->footer(
      "The key is SECRET_KEY of the backend, or that of a file. Every user of this machine can see "
      "claims\n"
      "on a command line; --claims-json keeps them to yourself. The token holds them readable by "
      "all.\n\n"
      "Examples:\n"
      "  qsecrets jwt sign --issuer api --subject alice --claim 'roles=[\"admin\"]' > token.jwt\n"
      "  printf '{\"sub\":\"alice\"}' | qsecrets jwt sign --claims-json - --ttl 600");
  sign->callback([options, &command] { command = [options] { return RunSign(*options); }; });
}

}  // namespace qarion::secrets::cli
