// SHA-1 (RFC 3174), by OpenSSL: for the names that others give to files, not for security.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::crypto {

// 40 hexadecimal digits in lower case. kInternal: OpenSSL gives no SHA-1. Thread-safe.
Result<std::string> Sha1Hex(std::string_view bytes);

}  // namespace qarion::secrets::crypto
