// Reading standard input whole.
#pragma once

#include <cstddef>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

// Until its end, or the end of what is typed on a terminal. kIo: it cannot be read. kBadData: more
// than `limit` bytes.
Result<SecretBuffer> ReadStandardInput(std::size_t limit);

}  // namespace qarion::secrets::cli
