#include "rotate/report_json.h"

#include <cmath>
#include <utility>

namespace qarion::secrets::rotate {
namespace {

void WriteNumber(core::JsonWriter& json, std::string_view name, std::uint64_t number) {
  json.Key(name).Number(static_cast<std::int64_t>(number));
}

}  // namespace

void WriteCounts(const RotationCounts& counts, core::JsonWriter& json) {
  json.Key("table").Text(counts.table).Key("column").Text(counts.column);
  WriteNumber(json, "rows", counts.rows);
  WriteNumber(json, "rotated", counts.rotated);
  WriteNumber(json, "current", counts.current);
  WriteNumber(json, "encrypted", counts.encrypted);
  WriteNumber(json, "plaintext", counts.plaintext);
  WriteNumber(json, "null", counts.null);
  WriteNumber(json, "empty", counts.empty);
  WriteNumber(json, "absent", counts.absent);
  WriteNumber(json, "lenient", counts.lenient);
  WriteNumber(json, "excluded", counts.excluded);
  WriteNumber(json, "problems", counts.problems);
}

void WriteReport(const RotationReport& report, core::JsonWriter& json) {
  json.BeginObject().Key("outcome").Text(ToString(report.outcome));
  json.Key("rotation").Text(report.id).Key("database").Text(report.database);
  json.Key("new_key").Text(report.new_key).Key("old_keys").BeginArray();
  for (const std::string& key : report.old_keys) json.Text(key);
  json.EndArray().Key("columns").BeginArray();
  for (const RotationCounts& counts : report.columns) {
    json.BeginObject();
    WriteCounts(counts, json);
    json.EndObject();
  }
  json.EndArray();
  WriteNumber(json, "problems", report.problems);
  json.Key("milliseconds").BeginObject();
  for (const auto& [step, seconds] : report.steps) {
    json.Key(step).Number(std::llround(seconds.count() * 1000));
  }
  json.EndObject();
  if (report.error) {
    json.Key("error").BeginObject();
    json.Key("code").Text(ToString(report.error->code()));
    json.Key("reason").Text(report.error->reason());
    json.Key("cure").Text(report.error->cure()).EndObject();
  }
  json.EndObject();
}

std::string CompactReport(const RotationReport& report) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  WriteReport(report, json);
  return std::string(std::move(json).Take().Reveal());
}

}  // namespace qarion::secrets::rotate
