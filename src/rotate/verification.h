// What the values of a database open with, without changing any.
#pragma once

#include "qarion/secrets/result.h"
#include "qarion/secrets/rotation.h"
#include "rotate/rotation_run.h"

namespace qarion::secrets::rotate {

// Reads everything in one read-only transaction, which it leaves open.
Result<VerificationReport> VerifyKeys(const RunContext& context);

}  // namespace qarion::secrets::rotate
