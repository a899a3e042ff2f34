// Base64 (RFC 4648) of what may be secret. Pure functions, thread-safe.
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

// Reads section 5's alphabet, for URLs and names of files, without padding; as strictly.
std::optional<Secret> DecodeBase64Url(std::string_view text);

// Writes the same, as JSON Web Signatures have it (RFC 7515, 2).
Secret EncodeBase64Url(std::string_view bytes);

// Reads what the JSON form of Protocol Buffers allows in a field of bytes: "Either standard or
// URL-safe base64 encoding with/without paddings are accepted". Padding is there in full or not at
// all; otherwise as strict as the others.
std::optional<Secret> DecodeProtobufBase64(std::string_view text);

}  // namespace qarion::secrets::crypto
