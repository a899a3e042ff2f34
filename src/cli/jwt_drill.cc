#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/jwt.h"
#include "cli/output.h"
#include "cli/token_arguments.h"
#include "core/json_writer.h"
#include "jwt/drill.h"
#include "qarion/secrets/jwt_signer.h"
#include "runtime/cache_settings.h"

namespace qarion::secrets::cli {
namespace {

using jwt::DrillOptions;
using jwt::DrillRun;
using jwt::DrillStep;
using std::chrono::seconds;

constexpr seconds kLongestLife = std::chrono::hours(24 * 366);
constexpr seconds kLongestLeeway = std::chrono::hours(1);

struct DrillArguments {
  std::optional<std::int64_t> lifetime;
  std::optional<std::int64_t> leeway;
  std::optional<std::int64_t> cache_ttl;
  std::optional<std::int64_t> max_stale;
  DrillOptions drill;
  std::string format;
};

Result<seconds> Bounded(const char* option, seconds given, seconds least, seconds most) {
  if (given >= least && given <= most) return given;
  return Error(ErrorCode::kUsage, std::string(option) + " is not between " +
                                      std::to_string(least.count()) + " and " +
                                      std::to_string(most.count()) + " seconds")
      .Cure("give another number of seconds");
}

// Options, then the user's own settings.
Result<DrillOptions> OptionsOf(const DrillArguments& arguments) {
  DrillOptions options = arguments.drill;
  const auto or_default = [](std::optional<std::int64_t> given, seconds fallback) {
    return given ? seconds(*given) : fallback;
  };
  const auto kept = runtime::ReadCacheSettings();
  if (!kept) return kept.error();

  const seconds none(0);
  auto lifetime = Bounded("--ttl", or_default(arguments.lifetime, jwt::kDefaultLifetime),
                          seconds(1), kLongestLife);
  if (!lifetime) return std::move(lifetime).error();
  auto leeway =
      Bounded("--leeway", or_default(arguments.leeway, jwt::kDefaultLeeway), none, kLongestLeeway);
  if (!leeway) return std::move(leeway).error();
  auto cache_ttl =
      Bounded("--cache-ttl", or_default(arguments.cache_ttl, kept->ttl), none, runtime::kMaxTtl);
  if (!cache_ttl) return std::move(cache_ttl).error();
  auto max_stale = Bounded("--max-stale", or_default(arguments.max_stale, kept->max_stale), none,
                           runtime::kMaxMaxStale);
  if (!max_stale) return std::move(max_stale).error();
  options.times = {
      .cache_ttl = *cache_ttl, .max_stale = *max_stale, .lifetime = *lifetime, .leeway = *leeway};
  if (options.partitioned > options.replicas) {
    return Error(ErrorCode::kUsage, "--partitioned is more than --replicas")
        .Cure("give at most as many");
  }
  return options;
}

// Columns as wide as their widest entry, of which the first two are words.
std::string DrillTable(const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t kWords = 2;
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      text += i < kWords ? row[i] + padding + "  " : padding + row[i] + "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string NameOf(const DrillRun& run) {
  return run.order + (run.fetches_again ? ", fetching again" : "");
}

std::string Text(const DrillOptions& options, const std::vector<DrillRun>& runs) {
  const jwt::RotationTimes& times = options.times;
  std::string text =
      std::to_string(options.replicas) + " replicas, " + std::to_string(options.partitioned) +
      " of them cut off; cache TTL " + std::to_string(times.cache_ttl.count()) +
      " s, stale limit " + std::to_string(times.max_stale.count()) + " s; tokens live " +
      std::to_string(times.lifetime.count()) + " s, leeway " +
      std::to_string(times.leeway.count()) + " s; seed " + std::to_string(options.seed) + "\n\n";
  std::vector<std::vector<std::string>> rows = {{"order", "set", "lasts", "checked", "rejected"}};
  for (const DrillRun& run : runs) {
    for (const DrillStep& step : run.steps) {
      rows.push_back({&step == run.steps.data() ? NameOf(run) : "", step.change,
                      jwt::DurationText(step.lasts), std::to_string(step.checked),
                      std::to_string(step.rejected)});
    }
  }
  text += DrillTable(rows) + "\nforged with the old key after its end, and accepted:\n";
  for (const DrillRun& run : runs) {
    text += "  " + NameOf(run) + ": " + std::to_string(run.late_accepted) + " of " +
            std::to_string(run.late) + "\n";
  }
  return text;
}

Secret Json(const DrillOptions& options, const std::vector<DrillRun>& runs) {
  core::JsonWriter json;
  json.BeginObject();
  json.Key("replicas").Number(static_cast<std::int64_t>(options.replicas));
  json.Key("partitioned").Number(static_cast<std::int64_t>(options.partitioned));
  json.Key("cache_ttl").Number(options.times.cache_ttl.count());
  json.Key("max_stale").Number(options.times.max_stale.count());
  json.Key("ttl").Number(options.times.lifetime.count());
  json.Key("leeway").Number(options.times.leeway.count());
  json.Key("hasty").Bool(options.is_hasty);
  json.Key("seed").UnsignedNumber(options.seed);
  json.Key("orders").BeginArray();
  for (const DrillRun& run : runs) {
    json.BeginObject().Key("order").Text(run.order);
    json.Key("fetches_again").Bool(run.fetches_again).Key("steps").BeginArray();
    for (const DrillStep& step : run.steps) {
      json.BeginObject().Key("step").Text(step.name).Key("set").Text(step.change);
      json.Key("seconds").Number(step.lasts.count());
      json.Key("checked").UnsignedNumber(step.checked);
      json.Key("rejected").UnsignedNumber(step.rejected).EndObject();
    }
    json.EndArray().Key("late").UnsignedNumber(run.late);
    json.Key("late_accepted").UnsignedNumber(run.late_accepted).EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

int RunDrill(const DrillArguments& arguments) {
  const auto options = OptionsOf(arguments);
  if (!options) return Report(options.error());
  const auto runs = jwt::Drill(*options);
  if (!runs) return Report(runs.error());
  return arguments.format == "json" ? Print(Json(*options, *runs).Reveal())
                                    : Print(Text(*options, *runs));
}

}  // namespace

void AddJwtDrill(CLI::App& jwt, Command& command) {
  auto arguments = std::make_shared<DrillArguments>();
  DrillOptions& drill = arguments->drill;
  CLI::App* app = jwt.add_subcommand(
      "drill", "Play a rotation in simulated time, with two keys and in three steps");
  app->add_option("--replicas", drill.replicas, "How many there are (default: 8)")
      ->check(CLI::Range(std::size_t{1}, jwt::kMostDrillReplicas))
      ->type_name("COUNT");
  app->add_option("--partitioned", drill.partitioned,
                  "How many of them are cut off from the store before each step (default: 0)")
      ->check(CLI::Range(std::size_t{0}, jwt::kMostDrillReplicas))
      ->type_name("COUNT");
  AddSecondsOption(*app, "--ttl", arguments->lifetime, "How long tokens live (default: 1800)");
  AddSecondsOption(*app, "--leeway", arguments->leeway,
                   "How far verifiers let clocks differ (default: 60)");
  AddSecondsOption(*app, "--cache-ttl", arguments->cache_ttl, "In place of SECRETS_CACHE_TTL");
  AddSecondsOption(*app, "--max-stale", arguments->max_stale, "In place of SECRETS_MAX_STALE");
  app->add_flag("--hasty", drill.is_hasty, "Go on after a minute at each step");
  app->add_option("--seed", drill.seed, "Of chance; the same gives the same counts (default: 1)")
      ->type_name("NUMBER");
  AddOutputOption(*app, arguments->format, {"text", "json"});
  app->footer(
      "Real tokens are signed and verified with the keys that each replica would have; only time "
      "and\n"
      "fleet are simulated. Reads SECRETS_CACHE_TTL and SECRETS_MAX_STALE, and no secret.\n\n"
      "Examples:\n"
      "  qsecrets jwt drill\n"
      "  qsecrets jwt drill --replicas 20 --partitioned 2 --ttl 3600\n"
      "  qsecrets jwt drill --hasty --output json");
  app->callback([arguments, &command] { command = [arguments] { return RunDrill(*arguments); }; });
}

}  // namespace qarion::secrets::cli
