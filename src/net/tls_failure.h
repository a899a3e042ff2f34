// Which failures of TLS no further try mends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/tls_settings.h"

namespace qarion::secrets::net {

// How to mend a failure that is a matter of settings or certificates; nothing where it may be one
// of the network. `curl_code` and `text` are what libcurl says of it.
std::optional<std::string> TlsCure(int curl_code, std::string_view text,
                                   const TlsSettings& settings);

}  // namespace qarion::secrets::net
