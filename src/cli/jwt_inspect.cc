#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/fixed_clock.h"
#include "cli/jwt.h"
#include "cli/jwt_keys.h"
#include "cli/output.h"
#include "cli/shown_json.h"
#include "cli/token_arguments.h"
#include "core/json_writer.h"
#include "core/printable.h"
#include "core/rfc3339.h"
#include "qarion/secrets/jwt_verifier.h"

namespace qarion::secrets::cli {
namespace {

using std::chrono::seconds;

struct JwtInspectOptions {
  RingOptions ring;
  bool verifies = false;
  std::optional<std::string> token;
  std::optional<std::int64_t> now;
  std::string format;
};

// What the keys tell of a token.
struct Verdict {
  std::optional<KeyIds> ids;  // not set: no keys were to be used
  std::optional<jwt::KeyRole> signer;
  std::optional<jwt::Rejection> rejection;

  bool is_verified() const { return signer && !rejection; }
};

// The key that is known to have signed the one token that was given.
std::optional<jwt::KeyRole> SignerOfRejected(const jwt::Verifier& verifier,
                                             jwt::Rejection rejection) {
  const jwt::VerifierStatistics statistics = verifier.statistics();
  for (const jwt::KeyRole role : kRoles) {
    const auto reason = static_cast<std::size_t>(rejection);
    if (statistics.rejected[reason][static_cast<std::size_t>(role)] != 0) return role;
  }
  return std::nullopt;
}

// With all claims that a holder of a key may want to look at; a token has to be valid in time.
jwt::Verifier MakeVerifier(const JwtInspectOptions& options, jwt::Keys keys) {
  jwt::Verifier verifier = jwt::Verifier::With(std::move(keys), options.ring.algorithm)
                               .AcceptMissingExpiry()
                               .AcceptLifetimesUpTo(seconds::max())
                               .AcceptAnyAudience()
                               .AcceptAnyType()
                               .UseClock(ClockOf(options.now));
  if (options.ring.allows_weak_keys) verifier = std::move(verifier).AcceptWeakKeys();
  return verifier;
}

Result<Verdict> Judge(const JwtInspectOptions& options, const std::string& token) {
  if (!options.verifies && options.ring.current_file.empty()) return Verdict{};
  auto keys = ReadRing(options.ring);
  if (!keys) return std::move(keys).error();
  Verdict verdict;
  verdict.ids.emplace(*keys);
  const jwt::Verifier verifier = MakeVerifier(options, *std::move(keys));
  const auto verified = verifier.Verify(token);
  if (verified) {
    verdict.signer = verified->key();
    return verdict;
  }
  verdict.rejection = jwt::RejectionOf(verified.error());
  if (!verdict.rejection) return verified.error();
  verdict.signer = SignerOfRejected(verifier, *verdict.rejection);
  return verdict;
}

// "2026-11-26T08:20:00Z"
std::string Timestamp(jwt::Time time) {
  // What a later one is taken for.
  constexpr auto kLast = std::chrono::floor<seconds>(jwt::Time::max());
  return time < kLast ? core::FormatTime(std::chrono::floor<seconds>(time)) : "after the year 2261";
}

// "45 s", "30 min", "7 h", "3 days"
std::string Span(seconds span) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const std::int64_t count = span.count();
  if (count < 2 * kMinute) return std::to_string(count) + " s";
  if (count < 2 * kHour) return std::to_string(count / kMinute) + " min";
  if (count < 2 * kDay) return std::to_string(count / kHour) + " h";
  return std::to_string(count / kDay) + " days";
}

struct NamedTime {
  const char* claim;
  const char* title;
  const char* past;  // what has happened where it lies in the past
};
constexpr std::array kTimes = {NamedTime{"iat", "issued", ""}, NamedTime{"nbf", "not before", ""},
                               NamedTime{"exp", "expires", "expired "}};

// "expired 5 min ago", "in 12 min"
std::string Distance(const NamedTime& named, jwt::Time time, jwt::Time now) {
  const auto away = std::chrono::floor<seconds>(time) - std::chrono::floor<seconds>(now);
  return away > seconds(0) ? "in " + Span(away) : named.past + Span(-away) + " ago";
}

// "1f0c..., the current key"; of a token without `kid`, "none".
std::string KeyIdText(const jwt::Claims& header, const Verdict& verdict) {
  const auto kid = header.Text("kid");
  if (!kid) return "none";
  std::string text = core::Printable(std::string(*kid));
  if (!verdict.ids) return text;
  const auto named = verdict.ids->Find(*kid);
  return text + (named ? ", the " + std::string(ToString(*named)) + " key" : ", none of the keys");
}

std::string VerdictText(const Verdict& verdict) {
  if (verdict.is_verified()) {
    return "yes, signed with the " + std::string(ToString(*verdict.signer)) + " key";
  }
  if (!verdict.rejection) return "no";
  const std::string reason = "no, " + std::string(ToString(*verdict.rejection));
  return verdict.signer
             ? reason + ", signed with the " + std::string(ToString(*verdict.signer)) + " key"
             : reason;
}

std::string Text(const jwt::UnverifiedToken& token, const Verdict& verdict, jwt::Time now) {
  const auto line = [](std::string name, const std::string& value) {
    name.resize(12, ' ');
    return name + value + "\n";
  };
  const jwt::Claims& claims = token.unverified_claims();
  std::string text = line("verified", VerdictText(verdict)) +
                     line("kid", KeyIdText(token.unverified_header(), verdict));
  for (const NamedTime& named : kTimes) {
    const auto time = claims.Date(named.claim);
    if (!time) continue;
    text += line(named.title, Timestamp(*time) + " (" + std::string(*claims.Json(named.claim)) +
                                  "), " + Distance(named, *time, now));
  }
  return text + "header " + ShownJson(token.unverified_header().json()) + "\nclaims " +
         ShownJson(claims.json()) + "\n";
}

void WriteTimes(const jwt::Claims& claims, jwt::Time now, core::JsonWriter& json) {
  json.Key("times").BeginObject();
  for (const NamedTime& named : kTimes) {
    const auto time = claims.Date(named.claim);
    if (!time) continue;
    json.Key(named.claim).BeginObject();
    json.Key("time").Text(Timestamp(*time));
    json.Key("distance").Text(Distance(named, *time, now)).EndObject();
  }
  json.EndObject();
}

void WriteRole(const char* name, std::optional<jwt::KeyRole> role, core::JsonWriter& json) {
  json.Key(name);
  role ? json.Text(ToString(*role)) : json.Null();
}

std::string Json(const jwt::UnverifiedToken& token, const Verdict& verdict, jwt::Time now) {
  const jwt::Claims& header = token.unverified_header();
  const auto kid = header.Text("kid");
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject().Key("verified").Bool(verdict.is_verified()).Key("reason");
  verdict.rejection ? json.Text(ToString(*verdict.rejection)) : json.Null();
  WriteRole("signed_by", verdict.signer, json);
  json.Key("kid");
  kid ? json.Text(*kid) : json.Null();
  WriteRole("kid_names", kid && verdict.ids ? verdict.ids->Find(*kid) : std::nullopt, json);
  WriteTimes(token.unverified_claims(), now, json);
  json.Key("header").Json(header.json());
  json.Key("claims").Json(token.unverified_claims().json()).EndObject();
  return ShownJson(std::move(json).Take().Reveal()) + "\n";
}

void SayWhatItIsWorth(const Verdict& verdict) {
  if (verdict.is_verified()) {
    SayVerified(*verdict.signer, *verdict.ids);
  } else if (!verdict.signer) {
    std::fputs("qsecrets: UNVERIFIED: anybody may have written this\n", stderr);
  } else {
    std::fprintf(stderr, "qsecrets: REFUSED: %s\n",
                 std::string(ToString(*verdict.rejection)).c_str());
  }
}

int RunJwtInspect(const JwtInspectOptions& options) {
  const auto text = ReadToken(options.token, kMostJwtBytes);
  if (!text) return Report(text.error());
  const auto token = jwt::UnverifiedToken::Read(*text);
  if (!token) return Report(token.error());
  const auto verdict = Judge(options, *text);
  if (!verdict) return Report(verdict.error());
  const jwt::Time now = ClockOf(options.now)->SystemNow();
  SayWhatItIsWorth(*verdict);
  return Print(options.format == "json" ? Json(*token, *verdict, now)
                                        : Text(*token, *verdict, now));
}

}  // namespace

void AddJwtInspect(CLI::App& jwt, Command& command) {
  auto options = std::make_shared<JwtInspectOptions>();
  CLI::App* inspect = jwt.add_subcommand("inspect", "Show what a token says, without trusting it");
  AddTokenArgument(*inspect, options->token);
  inspect->add_flag("--verify", options->verifies,
                    "Look which of the backend's keys signed it; with --key-file, of those");
  AddRingOptions(*inspect, options->ring);
  AddSecondsOption(*inspect, "--now", options->now,
                   "Judge its times so many seconds after 1970 in place of now");
  AddOutputOption(*inspect, options->format, {"text", "json"});
  inspect->footer(
      "Header, claims and times of any well-formed token, marked UNVERIFIED unless keys were to be "
      "used\n"
      "and one of them had signed it; of the claims only the times are looked at. Exit status 65 "
      "where\n"
      "it is no token at all.\n"
      "Prefer standard input: every user of this machine can see a token on a command line, and "
      "use it.\n\n"
      "Examples:\n"
      "  qsecrets jwt inspect < token.jwt\n"
      "  qsecrets jwt inspect --verify --output json < token.jwt");
  inspect->callback(
      [options, &command] { command = [options] { return RunJwtInspect(*options); }; });
}

}  // namespace qarion::secrets::cli
