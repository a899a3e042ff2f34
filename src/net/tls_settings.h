// Whom to trust in TLS, and who we are.
#pragma once

#include <string>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

// TLS 1.2 at least, always. Files are read for each new connection; where one of them changed, no
// connection that was made before is used again.
struct TlsSettings {
  // Authorities, in PEM, the first of these that is not empty; the system's where both are.
  std::string ca_file;
  std::string ca_text;
  // Our certificate and its key, in PEM, not encrypted; both or neither, as files or as text.
  std::string certificate_file;
  std::string key_file;
  std::string certificate_text;
  Secret key_text;
  std::string server_name;  // to ask for and to verify instead of the URL's host
  bool is_verified = true;
  // What errors call these: the settings they are from.
  std::string authority_setting;
  std::string certificate_setting;

  // A copy; the key is not copied.
  TlsSettings Share() const;

  // kConfiguration: something that is named is no file, such as a pipe, whose reading could last
  // for ever, or looks like the content of one. A file that is not there is left to who reads it.
  Status CheckFiles() const;

  // Tells the present state of the files from any other.
  std::string FilesStamp() const;
};

// The certificates in the files of a directory, in PEM, as one text: for settings that name a
// directory without the links that OpenSSL looks for. kConfiguration: it cannot be read, holds more
// than 1,000 files or 8 MiB, or no certificate.
Result<std::string> ReadAuthorities(const std::string& directory, const std::string& setting);

}  // namespace qarion::secrets::net
