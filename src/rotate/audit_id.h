// What a rotation is called in the audit table.
#pragma once

#include <string>

#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate {

// 32 random hexadecimal digits. kInternal: the kernel gives no randomness.
Result<std::string> NewAuditId();

}  // namespace qarion::secrets::rotate
