// A secret that a login needs.
#pragma once

#include <string>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

// Given in a setting, or in a file that is read at each login.
struct Credential {
  std::string setting;  // that holds it or names the file; empty: there is none
  Secret text;
  std::string file;

  bool exists() const noexcept { return !setting.empty(); }
  // A token or identifier; of a file without white space around it. kConfiguration: the file does
  // not exist or may not be read, or nothing is in it. kBadData: longer than 64 KiB or not
  // printable ASCII.
  Result<Secret> ReadToken() const;

  // A password: any UTF-8, of a file without the newline at its end. Errors as above.
  Result<Secret> ReadPassword() const;

 private:
  Result<Secret> ReadBytes() const;
  Error Unusable(ErrorCode code, const std::string& problem) const;
};

}  // namespace qarion::secrets::vault
