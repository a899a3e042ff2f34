// What the settings of the backend `aws_sm` say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/arn.h"
#include "aws/session.h"
#include "core/setting_lookup.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws_sm {

// Which version of the secret: as both say that are set; the current one where neither is.
struct VersionChoice {
  std::string id;
  std::string stage;

  bool is_given() const noexcept { return !id.empty() || !stage.empty(); }
  // The stage that counts where no id is given.
  std::string_view StageInEffect() const noexcept {
    return stage.empty() ? std::string_view("AWSCURRENT") : stage;
  }
  // "version ID", "stage S", "version ID at stage S", "the current version".
  std::string Describe() const;
};

struct AwsSmSettings {
  aws::SecretId secret;
  VersionChoice version;
  aws::SessionSettings session;
  std::string region;
  std::string region_setting;  // that it is from
  bool is_traced = false;

  // See SecretProvider.
  std::string Source() const;
  std::vector<Secret> Credentials() const { return session.Credentials(); }
};

// kConfiguration: a setting is malformed, missing or contradicts another; kBadData: a file of
// profiles cannot be read as one. The setting or file and line is named, no credential is shown.
Result<AwsSmSettings> LoadAwsSmSettings(const core::SettingLookup& lookup);

}  // namespace qarion::secrets::aws_sm
