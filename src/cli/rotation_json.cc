#include "cli/rotation_json.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "core/json_writer.h"
#include "fernet/key_fields.h"
#include "rotate/report_json.h"

namespace qarion::secrets::cli {
namespace {

void WriteAudit(const std::optional<AuditEntry>& entry, core::JsonWriter& json) {
  if (!entry) {
    json.Null();
    return;
  }
  json.BeginObject().Key("id").Text(entry->id).Key("finished_at").Text(entry->finished_at);
  json.Key("tool").Text(entry->tool).Key("new_key").Text(entry->new_key);
  json.Key("old_keys").Text(entry->old_keys).EndObject();
}

void WriteTextOrNull(const std::string& text, core::JsonWriter& json) {
  text.empty() ? json.Null() : json.Text(text);
}

}  // namespace

Secret ReportJson(const RotationReport& report) {
  core::JsonWriter json;
  rotate::WriteReport(report, json);
  return std::move(json).Take();
}

Secret VerificationJson(const VerificationReport& report) {
  core::JsonWriter json;
  json.BeginObject().Key("database").Text(report.database).Key("keys").BeginArray();
  for (const std::string& key : report.keys) json.Text(key);
  json.EndArray().Key("columns").BeginArray();
  for (const KeyUsage& usage : report.columns) {
    json.BeginObject();
    rotate::WriteCounts(usage.counts, json);
    json.Key("by_key").BeginObject();
    for (std::size_t i = 0; i < report.keys.size(); ++i) {
      json.Key(report.keys[i]).Number(static_cast<std::int64_t>(usage.by_key[i]));
    }
    json.EndObject().EndObject();
  }
  json.EndArray().Key("problems").Number(static_cast<std::int64_t>(report.problems));
  json.Key("unlisted").BeginObject();
  for (const auto& [place, tokens] : report.unlisted) {
    json.Key(place).Number(static_cast<std::int64_t>(tokens));
  }
  json.EndObject().Key("rotation");
  WriteAudit(report.rotation, json);
  json.EndObject();
  return std::move(json).Take();
}

Secret StatusJson(const RotationStatus& status, const BackendKeys& keys, const RotationStep& step) {
  core::JsonWriter json;
  json.BeginObject().Key("database").Text(status.database);
  json.Key("running").Bool(status.is_running).Key("latest");
  WriteAudit(status.latest, json);
  json.Key("tables").BeginArray();
  for (const RotationStatus::Table& table : status.tables) {
    json.BeginObject().Key("name").Text(table.name);
    json.Key("estimated_rows").Number(static_cast<std::int64_t>(table.estimated_rows));
    json.Key("bytes").Number(static_cast<std::int64_t>(table.bytes)).EndObject();
  }
  json.EndArray().Key("plan_problem");
  WriteTextOrNull(status.plan_problem, json);
  json.Key("keys").BeginObject().Key(fernet::kCurrentKeyField);
  WriteTextOrNull(keys.current, json);
  json.Key(fernet::kPreviousKeyField);
  WriteTextOrNull(keys.previous, json);
  json.EndObject().Key("step");
  step.number ? json.Number(*step.number) : json.Null();
  json.Key("next").Text(step.next).EndObject();
  return std::move(json).Take();
}

}  // namespace qarion::secrets::cli
