// What the settings of the backend `gcp_sm` say.
#pragma once

#include <string>
#include <vector>

#include "core/setting_lookup.h"
#include "gcp/session.h"
#include "providers/gcp_sm/secret_name.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp_sm {

struct GcpSmSettings {
  // The version is never empty. The project is where no setting says it: then the credentials do.
  SecretName name;
  std::string project_setting;  // that the project is from, or empty
  bool falls_back = false;      // GCP_SECRET_VERSION_FALLBACK=previous
  std::string endpoint;         // GCP_SECRET_ENDPOINT, without a slash at its end, or empty
  gcp::SessionSettings session;
  bool is_traced = false;

  // See SecretProvider.
  std::string Source() const;
  std::vector<Secret> Credentials() const { return session.Credentials(); }
};

// kConfiguration: a setting is malformed or contradicts another; kBadData: the file with
// credentials cannot be read as one. The setting or file is named, no credential is shown.
Result<GcpSmSettings> LoadGcpSmSettings(const core::SettingLookup& lookup);

}  // namespace qarion::secrets::gcp_sm
