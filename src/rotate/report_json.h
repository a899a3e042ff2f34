// A rotation's report for programs, and for the audit table.
#pragma once

#include <string>

#include "core/json_writer.h"
#include "qarion/secrets/rotation.h"

namespace qarion::secrets::rotate {

// One object, without anything that is secret.
void WriteReport(const RotationReport& report, core::JsonWriter& json);

// Its members "table", "column" and the counts.
void WriteCounts(const RotationCounts& counts, core::JsonWriter& json);

std::string CompactReport(const RotationReport& report);

}  // namespace qarion::secrets::rotate
