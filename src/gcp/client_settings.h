// What variables say about how Google Cloud is talked to: those of Google's own libraries and
// commands.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/setting_lookup.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

using core::Sourced;

// Whether it can be a project's id or number: "my-project", "example.com:my-project", "123".
bool IsProject(std::string_view text);

struct MetadataSettings {
  bool is_disabled = false;  // NO_GCE_CHECK=true: there is none
  Sourced host;              // GCE_METADATA_HOST, GCE_METADATA_ROOT, GCE_METADATA_IP; or empty
  std::chrono::milliseconds timeout{3000};  // GCE_METADATA_TIMEOUT, of one request
  int attempts = 0;  // GCE_METADATA_DETECT_RETRIES; 0: as many as what is there deserves
};

// Keys of AWS in the environment, for external accounts that are known to AWS. Empty where they are
// not set.
struct AwsEnvironment {
  std::string region;         // AWS_REGION, AWS_DEFAULT_REGION
  std::string access_key_id;  // AWS_ACCESS_KEY_ID
  Secret secret_access_key;   // AWS_SECRET_ACCESS_KEY
  Secret session_token;       // AWS_SESSION_TOKEN
};

struct ClientSettings {
  // The file with credentials: of GOOGLE_APPLICATION_CREDENTIALS, else that of gcloud in
  // CLOUDSDK_CONFIG or ~/.config/gcloud where it is there. Empty: none.
  Sourced credential_file;
  Sourced well_known_file;  // gcloud's, there or not
  bool has_well_known_file = false;
  Sourced project;        // GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT, or empty
  Sourced quota_project;  // GOOGLE_CLOUD_QUOTA_PROJECT, or empty
  Sourced universe;       // GOOGLE_CLOUD_UNIVERSE_DOMAIN, or empty
  // Authorities: CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE, REQUESTS_CA_BUNDLE, or empty: the system's.
  Sourced ca_file;
  bool allows_executables = false;  // GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
  MetadataSettings metadata;
  AwsEnvironment aws;

  // Values that are credentials.
  std::vector<Secret> Credentials() const;
};

// Empty is as good as not set. kConfiguration: a value is malformed; the setting is named and what
// it accepts. Looks whether gcloud's file is there; reads no file.
Result<ClientSettings> LoadClientSettings(const core::SettingLookup& lookup);

}  // namespace qarion::secrets::gcp
