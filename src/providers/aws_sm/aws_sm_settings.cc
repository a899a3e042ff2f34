#include "providers/aws_sm/aws_sm_settings.h"

#include <utility>

#include "core/ascii.h"
#include "core/wrong_setting.h"

namespace qarion::secrets::aws_sm {
namespace {

constexpr char kSecret[] = "AWS_SECRET_ARN";
constexpr char kVersionId[] = "AWS_SECRET_VERSION_ID";
constexpr char kVersionStage[] = "AWS_SECRET_VERSION_STAGE";
constexpr std::size_t kShortestVersionId = 32;
constexpr std::size_t kLongestVersionId = 64;
constexpr std::size_t kLongestStage = 256;

std::string TextOf(const core::SettingLookup& lookup, const char* name) {
  return std::string(lookup(name).value_or(""));
}

Result<VersionChoice> ReadVersion(const core::SettingLookup& lookup) {
  VersionChoice version{.id = TextOf(lookup, kVersionId), .stage = TextOf(lookup, kVersionStage)};
  const std::size_t size = version.id.size();
  if (size != 0 &&
      (size < kShortestVersionId || size > kLongestVersionId || !core::IsVisible(version.id))) {
    return core::Wrong(kVersionId, "is not the id of a version: those have 32 to 64 characters",
                       "copy it from: aws secretsmanager list-secret-version-ids --secret-id ...");
  }
  if (version.stage.size() > kLongestStage || !core::IsVisible(version.stage)) {
    return core::Wrong(kVersionStage,
                       "is not the name of a stage: those have at most 256 characters",
                       "write AWSCURRENT, AWSPREVIOUS, AWSPENDING or a label of your own");
  }
  return version;
}

}  // namespace

std::string VersionChoice::Describe() const {
  if (id.empty()) return stage.empty() ? "the current version" : "stage " + stage;
  return "version " + id + (stage.empty() ? "" : " at stage " + stage);
}

std::string AwsSmSettings::Source() const {
  const bool is_arn = !secret.region.empty();
  return secret.text + (is_arn ? "" : " in " + region);
}

Result<AwsSmSettings> LoadAwsSmSettings(const core::SettingLookup& lookup) {
  const std::string given = TextOf(lookup, kSecret);
  if (given.empty()) {
    return core::Wrong(kSecret, "is not set", "set it to the ARN or the name of the secret");
  }
  auto secret = aws::ParseSecretId(given, kSecret);
  if (!secret) return std::move(secret).error();
  auto version = ReadVersion(lookup);
  if (!version) return std::move(version).error();
  auto session = aws::SessionSettings::Load(lookup);
  if (!session) return std::move(session).error();

  std::string region = session->client.region.text;
  std::string region_setting = session->client.region.setting;
  if (region.empty()) {
    region = secret->region;
    region_setting = kSecret;
  }
  if (region.empty()) {
    return core::Wrong(
        "AWS_REGION", "is not set, and neither a profile nor AWS_SECRET_ARN names a region",
        "set it to the region of the secret, such as eu-central-1, or write the whole ARN "
        "in AWS_SECRET_ARN");
  }
  return AwsSmSettings{.secret = std::move(*secret),
                       .version = std::move(*version),
                       .session = std::move(*session),
                       .region = std::move(region),
                       .region_setting = std::move(region_setting),
                       .is_traced = lookup("QARION_SECRETS_LOG") == "debug"};
}

}  // namespace qarion::secrets::aws_sm
