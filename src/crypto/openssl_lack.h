// What to say where OpenSSL cannot do what every build of it can.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/error.h"

namespace qarion::secrets::crypto {

// kInternal. `what` cannot be done for lack of `part`: "cannot sign with RSA and SHA-256", "RSA".
inline Error OpenSslLacks(std::string_view part, std::string_view what) {
  return Error(ErrorCode::kInternal, "OpenSSL " + std::string(what))
      .Cure("look for a want of memory, or a configuration of OpenSSL (OPENSSL_CONF) that leaves " +
            std::string(part) + " out");
}

}  // namespace qarion::secrets::crypto
