// Keys that a rotation may use.
#pragma once

#include "qarion/secrets/result.h"
#include "qarion/secrets/rotation.h"

namespace qarion::secrets::rotate {

// kConfiguration: an old key that is the new one or shares a half with it; a new key that is one of
// the other secrets, or that nobody should encrypt with.
Status CheckKeys(const RotationOptions& options);

// kConfiguration: there is none.
Status CheckThereIsAnOldKey(const RotationOptions& options);

}  // namespace qarion::secrets::rotate
