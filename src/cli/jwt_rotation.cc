#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/jwt.h"
#include "cli/jwt_commands.h"
#include "cli/jwt_keys.h"
#include "cli/output.h"
#include "cli/token_arguments.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "jwt/key_ring.h"
#include "jwt/policy.h"
#include "jwt/rotation_advice.h"
#include "qarion/secrets/jwt_signer.h"
#include "runtime/cache_settings.h"

namespace qarion::secrets::cli {
namespace {

using jwt::NewValue;
using jwt::RotationAdvice;
using jwt::RotationStage;
using jwt::RotationState;
using std::chrono::seconds;

struct KeyRotationOptions {
  std::optional<std::int64_t> lifetime;
  std::optional<std::int64_t> leeway;
  std::optional<std::int64_t> since;
  jwt::Algorithm algorithm = jwt::Algorithm::kHs256;
  bool is_leaked = false;
  std::string format;
};

// What is read, and where from.
struct Backend {
  std::string name;
  std::string source;
  std::string version;
  KeyPlaces places;
  RotationState state;
};

// Times whose sums the clock can say.
Status CheckTimes(const KeyRotationOptions& options) {
  constexpr std::int64_t kLongest = 31'622'400;  // 366 days
  for (const auto& [name, given] :
       {std::pair("--ttl", options.lifetime), std::pair("--leeway", options.leeway)}) {
    if (given && *given > kLongest) {
      return Error(ErrorCode::kUsage, std::string(name) + " is more than 366 days")
          .Cure("see `qsecrets jwt rotation --help`");
    }
  }
  const auto now = std::chrono::system_clock::now();
  if (options.since && jwt::Time(seconds(*options.since)) > now + jwt::kClockSkew) {
    return Error(ErrorCode::kUsage, "--since is in the future")
        .Cure("give the seconds after 1970 of when it was: date +%s");
  }
  return {};
}

Result<Backend> ReadBackend(const KeyRotationOptions& options) {
  if (auto checked = CheckTimes(options); !checked) return std::move(checked).error();
  auto runtime = OpenRuntime();
  if (!runtime) return std::move(runtime).error();
  const auto snapshot = runtime->TakeSnapshot();
  if (!snapshot) return snapshot.error();
  const auto kept = runtime::ReadCacheSettings();
  if (!kept) return kept.error();

  Backend backend{.name = (*snapshot)->backend(),
                  .source = runtime->status().source,
                  .version = (*snapshot)->version()};
  for (const Field& field : (*snapshot)->fields()) {
    const auto is_field_of = [&](jwt::KeyRole key) { return field.name == jwt::FieldOf(key); };
    if (std::ranges::any_of(kRoles, is_field_of)) backend.places.push_back(field.origin);
  }
  RotationState& state = backend.state;
  state.keys = jwt::KeysOf(**snapshot);
  state.made_at = (*snapshot)->created_at();
  if (options.since) {
    const jwt::Time since{seconds(*options.since)};
    // The later one is right whichever is.
    state.made_at_is_given = !state.made_at || since > *state.made_at;
    if (state.made_at_is_given) state.made_at = since;
  }
  // A function that rotates makes a version first and moves AWSCURRENT to it later.
  state.becomes_current_later = backend.name == "aws_sm";
  state.needs_restart = IsInEnvironment(backend.places);
  state.times = {.cache_ttl = kept->ttl,
                 .max_stale = kept->max_stale,
                 .lifetime = options.lifetime ? seconds(*options.lifetime) : jwt::kDefaultLifetime,
                 .leeway = options.leeway ? seconds(*options.leeway) : jwt::kDefaultLeeway};
  state.algorithm = options.algorithm;
  state.now = std::chrono::system_clock::now();
  return backend;
}

std::optional<int> StepNumber(RotationStage stage) {
  switch (stage) {
    case RotationStage::kIdle: return 0;
    case RotationStage::kAnnounced: return 1;
    case RotationStage::kPromoted: return 2;
    case RotationStage::kUnknown:
    case RotationStage::kTwoAtOnce: return std::nullopt;
  }
  return std::nullopt;
}

std::string StepText(RotationStage stage) {
  if (stage == RotationStage::kIdle) return "none, no rotation is under way";
  const auto number = StepNumber(stage);
  const std::string name(ToString(stage));
  return number ? std::to_string(*number) + " of 3, " + name : name;
}

std::string_view ChangeText(NewValue value) {
  switch (value) {
    case NewValue::kNewKey: return "a new key";
    case NewValue::kOfCurrent: return "what SECRET_KEY is now";
    case NewValue::kOfNext: return "what SECRET_KEY_NEXT is now";
    case NewValue::kNone: return "removed";
  }
  return {};
}

std::string KeysText(const jwt::Keys& keys) {
  const auto shown = [](std::string_view role, const Secret& key) {
    return std::string(role) + " " + (key.empty() ? "none" : jwt::KeyId(key));
  };
  return shown("current", keys.current) + ", " + shown("previous", keys.previous) + ", " +
         shown("next", keys.next);
}

seconds Left(const RotationAdvice& advice, jwt::Time now) {
  return std::max(seconds(0), std::chrono::ceil<seconds>(*advice.safe_at - now));
}

std::string UtcText(jwt::Time time) { return core::FormatTime(std::chrono::ceil<seconds>(time)); }

std::string SafeText(const RotationAdvice& advice, jwt::Time now) {
  if (!advice.safe_at) return "nobody can tell: " + advice.because;
  if (*advice.safe_at <= now) return "now: " + advice.because;
  return "in " + jwt::DurationText(Left(advice, now)) + ", at " + UtcText(*advice.safe_at) + ": " +
         advice.because;
}

std::string FindingText(const Finding& finding) {
  std::string text = finding.severity == Severity::kError ? "error    " : "warning  ";
  text += finding.subject + ": " + finding.problem + "\n";
  if (!finding.cure.empty()) text += "         to mend it: " + finding.cure + "\n";
  return text;
}

std::string Text(const Backend& backend, const RotationAdvice& advice,
                 const std::vector<std::string>& commands) {
  std::string text;
  for (const Finding& finding : advice.findings) text += FindingText(finding);
  const std::string version = backend.version.empty() ? "" : ", version " + backend.version;
  text += NamedLine("backend", backend.name + version);
  text += NamedLine("step", StepText(advice.stage));
  text += NamedLine("keys", KeysText(backend.state.keys));
  text += NamedLine("next", advice.next);
  if (advice.changes.empty()) return text;
  text += NamedLine("safe", SafeText(advice, backend.state.now));
  for (const auto& [key, value] : advice.changes) {
    text +=
        NamedLine("set", std::string(jwt::FieldOf(key)) + ": " + std::string(ChangeText(value)));
  }
  text += "\n";
  if (!advice.safe_at) {
    text += "# not before it is safe\n";
  } else if (*advice.safe_at > backend.state.now) {
    text += "# not before " + UtcText(*advice.safe_at) + "\n";
  }
  for (const std::string& command : commands) text += command + "\n";
  if (!commands.empty()) text += "# then look again: qsecrets jwt rotation\n";
  return text;
}

void WriteKey(std::string_view role, const Secret& key, core::JsonWriter& json) {
  json.Key(role);
  key.empty() ? json.Null() : json.Text(jwt::KeyId(key));
}

void WriteChanges(const std::vector<jwt::FieldChange>& changes, core::JsonWriter& json) {
  constexpr std::array kNames = {
      std::pair{NewValue::kNewKey, "new key"}, std::pair{NewValue::kOfCurrent, "SECRET_KEY"},
      std::pair{NewValue::kOfNext, "SECRET_KEY_NEXT"}, std::pair{NewValue::kNone, ""}};
  json.Key("set").BeginObject();
  for (const auto& [key, value] : changes) {
    json.Key(jwt::FieldOf(key));
    const auto* const name =
        std::ranges::find(kNames, value, &std::pair<NewValue, const char*>::first);
    value == NewValue::kNone ? json.Null() : json.Text(name->second);
  }
  json.EndObject();
}

Secret Json(const Backend& backend, const RotationAdvice& advice,
            const std::vector<std::string>& commands) {
  const RotationState& state = backend.state;
  core::JsonWriter json;
  json.BeginObject().Key("backend").Text(backend.name).Key("version").Text(backend.version);
  json.Key("step");
  const auto number = StepNumber(advice.stage);
  number ? json.Number(*number) : json.Null();
  json.Key("name").Text(ToString(advice.stage)).Key("keys").BeginObject();
  WriteKey("current", state.keys.current, json);
  WriteKey("previous", state.keys.previous, json);
  WriteKey("next", state.keys.next, json);
  json.EndObject().Key("next").Text(advice.next);
  WriteChanges(advice.changes, json);
  json.Key("safe_at");
  advice.safe_at ? json.Text(UtcText(*advice.safe_at)) : json.Null();
  json.Key("safe_in_seconds");
  advice.safe_at ? json.Number(Left(advice, state.now).count()) : json.Null();
  json.Key("because").Text(advice.because).Key("commands").BeginArray();
  for (const std::string& command : commands) json.Text(command);
  json.EndArray().Key("findings").BeginArray();
  for (const Finding& finding : advice.findings) {
    json.BeginObject().Key("severity");
    json.Text(finding.severity == Severity::kError ? "error" : "warning");
    json.Key("subject").Text(finding.subject).Key("problem").Text(finding.problem);
    json.Key("cure").Text(finding.cure).EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

int RunRotation(const KeyRotationOptions& options) {
  const auto backend = ReadBackend(options);
  if (!backend) return Report(backend.error());
  const RotationAdvice advice =
      options.is_leaked ? AdviseAfterLeak(backend->state) : Advise(backend->state);
  const auto commands = CommandsFor({.backend = backend->name,
                                     .source = backend->source,
                                     .places = backend->places,
                                     .algorithm = options.algorithm},
                                    advice.changes);
  const int printed = options.format == "json" ? Print(Json(*backend, advice, commands).Reveal())
                                               : Print(Text(*backend, advice, commands));
  if (printed != 0) return printed;
  const bool has_errors = std::ranges::any_of(
      advice.findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
  return has_errors ? ExitStatus(ErrorCode::kConfiguration) : 0;
}

}  // namespace

void AddJwtRotation(CLI::App& jwt, Command& command) {
  auto options = std::make_shared<KeyRotationOptions>();
  CLI::App* rotation = jwt.add_subcommand(
      "rotation", "Say how far a rotation of the key is, what comes next, and when it is safe");
  AddSecondsOption(
      *rotation, "--ttl", options->lifetime,
      "How long tokens live (default: 1800), refresh tokens too if the key signs them");
  AddSecondsOption(*rotation, "--leeway", options->leeway,
                   "How far verifiers let clocks differ (default: 60)");
  AddSecondsOption(*rotation, "--since", options->since,
                   "When replicas could first read the present version, in seconds after 1970, "
                   "where the backend does not tell or made it earlier; or when the last process "
                   "was restarted with it");
  AddAlgorithmOption(*rotation, options->algorithm);
  rotation->add_flag("--leaked", options->is_leaked,
                     "The key is known to others: change it without an overlap");
  AddOutputOption(*rotation, options->format, {"text", "json"});
  rotation->footer(
      "Reads the active backend, with the SECRETS_CACHE_TTL and SECRETS_MAX_STALE that services "
      "have;\n"
      "changes nothing, shows no key. Exit status 78 where there are errors.\n\n"
      "Examples:\n"
      "  qsecrets jwt rotation\n"
      "  qsecrets jwt rotation --ttl 86400 --output json\n"
      "  qsecrets jwt rotation --leaked");
  rotation->callback(
      [options, &command] { command = [options] { return RunRotation(*options); }; });
}

}  // namespace qarion::secrets::cli
