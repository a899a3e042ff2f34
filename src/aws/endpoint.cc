#include "aws/endpoint.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "aws/arn.h"
#include "core/wrong_setting.h"

namespace qarion::secrets::aws {
namespace {

struct Partition {
  std::string_view id;
  // What its regions have before their last two words: "us" of us-east-1.
  std::string_view areas;
  std::string_view suffix;
  std::string_view dual_stack_suffix;
  bool has_dual_stack = true;
};

// botocore 1.44.5, data/partitions.json, version 1.1: regionRegex, dnsSuffix and
// dualStackDnsSuffix. Whether there is dual stack at all: data/endpoints.json, which boto3 asks
// first.
constexpr std::array<Partition, 8> kPartitions = {{
    {"aws", "us eu ap sa ca me af il mx", "amazonaws.com", "api.aws"},
    {"aws-cn", "cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-eusc", "eusc-de", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws-iso", "us-iso", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws-iso-b", "us-isob", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso-e", "eu-isoe", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
    {"aws-iso-f", "us-isof", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
    {"aws-us-gov", "us-gov", "amazonaws.com", "api.aws"},
}};

// The regions for which STS was one server in us-east-1 once (its rule set, UseGlobalEndpoint).
constexpr std::array<std::string_view, 16> kGlobalStsRegions = {
    "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
    "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
    "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
    "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2"};
constexpr char kGlobalRegion[] = "aws-global";
constexpr char kGlobalSts[] = "https://sts.amazonaws.com";
constexpr char kGlobalStsSigningRegion[] = "us-east-1";

bool HasWord(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// AREA-WORD-NUMBER, or the name of what is the same in all regions.
bool IsRegionOf(const Partition& partition, std::string_view region) {
  constexpr std::string_view kGlobal = "-global";
  if (region.ends_with(kGlobal)) {
    return region.substr(0, region.size() - kGlobal.size()) == partition.id;
  }
  const std::size_t number = region.rfind('-');
  if (number == std::string_view::npos || number == 0 || number + 1 == region.size() ||
      region.find_first_not_of("0123456789", number + 1) != std::string_view::npos) {
    return false;
  }
  const std::size_t word = region.rfind('-', number - 1);
  return word != std::string_view::npos && word + 1 < number &&
         HasWord(partition.areas, region.substr(0, word));
}

const Partition& FindPartition(std::string_view region) {
  const auto* found = std::ranges::find_if(
      kPartitions, [&](const Partition& partition) { return IsRegionOf(partition, region); });
  return found == kPartitions.end() ? kPartitions.front() : *found;
}

std::string_view HostOf(Service service) {
  switch (service) {
    case Service::kSecretsManager: return "secretsmanager";
    case Service::kSts: return "sts";
    case Service::kSso: return "portal.sso";
    case Service::kSsoOidc: return "oidc";
  }
  return "";
}

// Secrets Manager answers over IPv6 under its old names in the older partitions.
bool HasDualStackSuffix(Service service, const Partition& partition,
                        const ClientSettings& settings) {
  if (!settings.uses_dual_stack) return false;
  if (service != Service::kSecretsManager) return true;
  return partition.id != "aws" && partition.id != "aws-us-gov" &&
         (partition.id != "aws-cn" || settings.uses_fips);
}

// All that the others have in GovCloud conforms to FIPS under its plain name.
bool HasFipsName(Service service, const Partition& partition, const ClientSettings& settings) {
  return settings.uses_fips && (service == Service::kSecretsManager || settings.uses_dual_stack ||
                                partition.id != "aws-us-gov");
}

bool IsGlobalSts(Service service, std::string_view region, const ClientSettings& settings) {
  if (service != Service::kSts || settings.uses_fips || settings.uses_dual_stack) return false;
  return region == kGlobalRegion ||
         (settings.uses_global_sts &&
          std::ranges::find(kGlobalStsRegions, region) != kGlobalStsRegions.end());
}

Error NoRegion(const std::string& region, const ClientSettings& settings) {
  if (region.empty()) {
    return core::Wrong("AWS_REGION", "is not set", "set it to a region such as eu-central-1");
  }
  const bool is_set = region == settings.region.text && !settings.region.setting.empty();
  return core::Wrong(is_set ? settings.region.setting : "a region in use",
                     "has not the form of one: lower-case letters, digits and hyphens, 63 at most",
                     "write the name of a region, such as eu-central-1");
}

}  // namespace

std::string_view PartitionOf(std::string_view region) { return FindPartition(region).id; }

std::string_view SigningName(Service service) {
  switch (service) {
    case Service::kSecretsManager: return "secretsmanager";
    case Service::kSts: return "sts";
    case Service::kSso: return "awsssoportal";
    case Service::kSsoOidc: return "sso-oauth";
  }
  return "";
}

Result<Endpoint> ResolveEndpoint(Service service, const std::string& asked_region,
                                 const ClientSettings& settings) {
  const std::string region =
      asked_region.empty() && service == Service::kSts ? kGlobalRegion : asked_region;
  if (!IsRegionName(region)) return NoRegion(region, settings);
  if (const auto found = settings.endpoints.find(service); found != settings.endpoints.end()) {
    return Endpoint{.url = found->second.text,
                    .signing_region = asked_region.empty() ? kGlobalStsSigningRegion : region,
                    .setting = found->second.setting};
  }
  const bool is_sts_of_all = service == Service::kSts && region == kGlobalRegion;
  const bool is_global_sts = IsGlobalSts(service, region, settings);
  std::string signing_region = is_sts_of_all || is_global_sts ? kGlobalStsSigningRegion : region;
  if (is_global_sts) return Endpoint{kGlobalSts, std::move(signing_region), ""};

  const Partition& partition = FindPartition(region);
  if (settings.uses_dual_stack && !partition.has_dual_stack) {
    return core::Wrong(
        "AWS_USE_DUALSTACK_ENDPOINT (or use_dualstack_endpoint of the profile)",
        "is true, and the partition " + std::string(partition.id) + " has no endpoints with IPv6",
        "leave it out, or set it to false");
  }
  std::string url = "https://";
  url += HostOf(service);
  if (HasFipsName(service, partition, settings)) url += "-fips";
  url += '.' + region + '.';
  url += HasDualStackSuffix(service, partition, settings) ? partition.dual_stack_suffix
                                                          : partition.suffix;
  return Endpoint{.url = std::move(url), .signing_region = std::move(signing_region)};
}

}  // namespace qarion::secrets::aws
