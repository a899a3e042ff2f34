// What `check` reports.
#pragma once

#include <string>

namespace qarion::secrets {

enum class Severity {
  kWarning,  // works today, but is weak, lossy or likely a mistake
  kError,    // a service that relies on this field will fail or is unsafe
};

// One observation about a field, a setting or a file; never quotes a value.
struct Finding {
  Severity severity = Severity::kWarning;
  std::string subject;  // the field, setting or file: "SECRET_KEY", "SECRETS_CACHE_TTL", ".env:12"
  std::string problem;  // "has 12 bytes; a signing key needs at least 32"
  std::string cure;     // "generate one: openssl rand -base64 48"
};

}  // namespace qarion::secrets
