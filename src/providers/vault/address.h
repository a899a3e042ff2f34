// Where the servers are: VAULT_ADDR.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"

namespace qarion::secrets::vault {

struct Address {
  std::string url;          // "https://vault-1:8200", also with a path; no slash at the end
  std::string unix_socket;  // to connect to instead, or empty
  std::string shown;        // as it was written
};

// Reads one address or several with commas between them: http://, https:// or unix:///path.
// `setting` is named in errors. kConfiguration: none, more than 16, one twice, or a text that is no
// such address; it is not repeated, as it could hold a password.
Result<std::vector<Address>> ParseAddresses(std::string_view text, const std::string& setting);

}  // namespace qarion::secrets::vault
