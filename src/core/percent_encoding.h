// Percent-encoding (RFC 3986, 2.1) of what may be secret.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

// Appends `bytes`: each but unreserved characters (letters, digits and -._~) and those in `kept`
// becomes a percent sign and two digits in upper case. Pure.
void AppendPercentEncoded(std::string_view bytes, SecretBuffer& out, std::string_view kept = {});

// The same as a new text, of what is not secret.
std::string PercentEncoded(std::string_view bytes, std::string_view kept = {});

}  // namespace qarion::secrets::core
