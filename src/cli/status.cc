#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"

namespace qarion::secrets::cli {
namespace {

using std::chrono::milliseconds;

std::string Timestamp(std::chrono::system_clock::time_point time) {
  return core::FormatTime(std::chrono::floor<std::chrono::seconds>(time));
}

std::string Seconds(milliseconds duration) {
  const auto tenths = duration.count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string Text(const RuntimeStatus& status) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"backend", status.backend},
      {"source", status.source},
      {"version", status.version},
      {"fields set", std::to_string(status.fields_set)},
      {"created", status.created_at ? Timestamp(*status.created_at) : ""},
      {"fetched", Timestamp(status.fetched_at) + ", " + Seconds(status.age) + " ago"},
      {"freshness", std::string(ToString(status.freshness))},
      {"next refresh", status.next_refresh_in ? "in " + Seconds(*status.next_refresh_in)
                                              : "at every read (SECRETS_CACHE_TTL=0)"}};
  std::erase_if(lines, [](const auto& line) { return line.second.empty(); });
  lines.insert(lines.end(), status.details.begin(), status.details.end());
  if (status.last_error) lines.emplace_back("last error", status.last_error->reason());
  for (const SettingInUse& setting : status.settings) {
    lines.emplace_back(setting.name, (setting.value.empty() ? "set" : setting.value) + "  (" +
                                         setting.source + ")");
  }
  std::string text;
  for (auto& [name, value] : lines) {
    name.resize(std::max<std::size_t>(name.size() + 2, 20), ' ');
    text += name + value + "\n";
  }
  return text;
}

Secret Json(const RuntimeStatus& status) {
  core::JsonWriter json;
  json.BeginObject();
  json.Key("backend").Text(status.backend);
  json.Key("source").Text(status.source);
  json.Key("version").Text(status.version);
  json.Key("fields_set").Number(static_cast<std::int64_t>(status.fields_set));
  json.Key("created_at");
  status.created_at ? json.Text(Timestamp(*status.created_at)) : json.Null();
  json.Key("fetched_at").Text(Timestamp(status.fetched_at));
  json.Key("age_ms").Number(status.age.count());
  json.Key("freshness").Text(ToString(status.freshness));
  json.Key("next_refresh_in_ms");
  status.next_refresh_in ? json.Number(status.next_refresh_in->count()) : json.Null();
  json.Key("last_error");
  status.last_error ? json.Text(status.last_error->reason()) : json.Null();
  json.Key("details").BeginObject();
  for (const auto& [name, text] : status.details) json.Key(name).Text(text);
  json.EndObject().Key("settings").BeginArray();
  for (const SettingInUse& setting : status.settings) {
    json.BeginObject().Key("name").Text(setting.name).Key("value");
    setting.value.empty() ? json.Null() : json.Text(setting.value);
    json.Key("source").Text(setting.source).EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).Take();
}

int RunStatus(const std::string& format) {
  auto runtime = OpenRuntime();
  if (!runtime) return Report(runtime.error());
  const RuntimeStatus status = runtime->status();
  return format == "json" ? Print(Json(status).Reveal()) : Print(Text(status));
}

}  // namespace

void AddStatus(CLI::App& app, Command& command) {
  auto format = std::make_shared<std::string>();
  CLI::App* status = app.add_subcommand(
      "status", "Show the backend, what it gave and when, and the settings in use");
  AddOutputOption(*status, *format, {"text", "json"});
  status->footer("No value is shown.\n\nExample:\n  qsecrets status --output json | jq .freshness");
  status->callback([format, &command] { command = [format] { return RunStatus(*format); }; });
}

}  // namespace qarion::secrets::cli
