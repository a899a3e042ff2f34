// Base64 (RFC 4648) of what may be secret.
#pragma once

#include <optional>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

// Reads section 4's alphabet, padded, strictly: nothing where any other character occurs, a line
// break too, or the last digit has bits that belong to no byte.
std::optional<Secret> DecodeBase64(std::string_view text);

// Writes the same, on one line.
Secret EncodeBase64(std::string_view bytes);

}  // namespace qarion::secrets::crypto
