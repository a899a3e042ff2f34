// Which database a command works on.
#pragma once

#include <string>

#include "qarion/secrets/result.h"

namespace qarion::secrets::cli {

// `given` is --database; where it is empty, the setting DATABASE_URL, which may hold a password;
// where that is not set, the empty text: libpq's own variables say it. A driver of SQLAlchemy's in
// the scheme is left out.
// kUsage: a password stands on the command line. kConfiguration: the settings cannot be read.
Result<std::string> DatabaseAddress(const std::string& given);

}  // namespace qarion::secrets::cli
