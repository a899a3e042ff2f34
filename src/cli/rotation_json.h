// What the rotation commands say, for programs: one object each.
#pragma once

#include "cli/rotation_step.h"
#include "qarion/secrets/rotation.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

Secret ReportJson(const RotationReport& report);
Secret VerificationJson(const VerificationReport& report);
Secret StatusJson(const RotationStatus& status, const BackendKeys& keys, const RotationStep& step);

}  // namespace qarion::secrets::cli
