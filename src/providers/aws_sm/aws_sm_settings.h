// What the settings of the backend `aws_sm` say.
#pragma once

#include <string>
#include <vector>

#include "aws/arn.h"
#include "aws/client_settings.h"
#include "aws/profiles.h"
#include "aws/variables.h"
#include "core/setting_lookup.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws_sm {

// Which version of the secret: as both say that are set; the current one where neither is.
struct VersionChoice {
  std::string id;
  std::string stage;

  bool is_given() const noexcept { return !id.empty() || !stage.empty(); }
  // "version ID", "stage S", "version ID at stage S", "the current version".
  std::string Describe() const;
};

struct AwsSmSettings {
  aws::SecretId secret;
  VersionChoice version;
  aws::Variables variables;
  aws::Profiles profiles;
  aws::ClientSettings client;
  std::string region;
  std::string region_setting;  // that it is from
  bool is_traced = false;

  // Every credential that stands in a setting or in a profile.
  std::vector<Secret> Credentials() const;
};

// kConfiguration: a setting is malformed, missing or contradicts another; kBadData: a file of
// profiles cannot be read as one. The setting or file and line is named, no credential is shown.
Result<AwsSmSettings> LoadAwsSmSettings(const core::SettingLookup& lookup);

}  // namespace qarion::secrets::aws_sm
