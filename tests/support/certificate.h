// Certificates for tests, made by OpenSSL's command.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::test {

// A certificate that signs itself, for `alternative` ("IP:127.0.0.1"), as `name`.pem and
// `name`.key.
inline void MakeCertificate(const TemporaryDirectory& directory, const std::string& name,
                            const std::string& alternative = "IP:127.0.0.1") {
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=fake -days 1 "
      "-addext subjectAltName=" +
      alternative + " -keyout " + directory.Path(name + ".key") + " -out " +
      directory.Path(name + ".pem") + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
}

}  // namespace qarion::secrets::test
