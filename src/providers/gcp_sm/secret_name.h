// Names of secrets at Secret Manager.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp_sm {

inline constexpr char kLatest[] = "latest";

// Where a secret is, and which of its versions. Empty parts are not said.
struct SecretName {
  std::string project;   // its id, or its number
  std::string location;  // of a regional secret; empty: a global one
  std::string secret;
  std::string version;  // a number, an alias or kLatest
  // Where settings name the project by its id and by its number: what is asked for has the id, and
  // what comes has to have this number.
  std::string project_number = {};

  // "projects/p/secrets/s", "projects/p/locations/l/secrets/s": as the API has it.
  std::string Resource() const;
  // " --project=p", and " --location=l": for commands in cures.
  std::string Flags() const;
};

// Reads the id of a secret ("app-db"), or a resource name: projects/P/secrets/S or
// projects/P/locations/L/secrets/S, maybe with /versions/V, maybe with
// //secretmanager.googleapis.com/ before it. kConfiguration: it is neither; `setting` is named. The
// text is no secret and is not checked against the API's lengths but those of its ids. Pure.
Result<SecretName> ParseSecretName(std::string_view text, const std::string& setting);

// Whether it can be the part of that name.
bool IsLocation(std::string_view text);  // "europe-west3"
bool IsSecretId(std::string_view text);
bool IsVersion(std::string_view text);
// Whether it is a number, written as the API writes it.
bool IsNumber(std::string_view text);

}  // namespace qarion::secrets::gcp_sm
