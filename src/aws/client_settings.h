// What variables and the profile in use say about how AWS is talked to.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/profiles.h"
#include "aws/variables.h"
#include "core/setting_lookup.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

enum class Service { kSecretsManager, kSts, kSso, kSsoOidc };

enum class RetryMode { kStandard, kLegacy };

using core::Sourced;

struct MetadataSettings {
  bool is_disabled = false;                 // AWS_EC2_METADATA_DISABLED
  bool is_v1_disabled = false;              // AWS_EC2_METADATA_V1_DISABLED
  Sourced endpoint;                         // AWS_EC2_METADATA_SERVICE_ENDPOINT, or empty
  bool uses_ipv6 = false;                   // AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6
  std::chrono::milliseconds timeout{1000};  // AWS_METADATA_SERVICE_TIMEOUT
  int attempts = 1;                         // AWS_METADATA_SERVICE_NUM_ATTEMPTS
};

struct ClientSettings {
  Sourced region;  // AWS_REGION, AWS_DEFAULT_REGION, the profile; empty: nothing says
  bool uses_fips = false;
  bool uses_dual_stack = false;
  bool uses_global_sts = false;          // AWS_STS_REGIONAL_ENDPOINTS=legacy
  std::map<Service, Sourced> endpoints;  // as configured: AWS_ENDPOINT_URL and its kin
  Sourced ca_bundle;                     // AWS_CA_BUNDLE, or empty
  RetryMode retry_mode = RetryMode::kStandard;
  int most_attempts = 3;
  MetadataSettings metadata;
  std::vector<std::string>
      notices;  // accepted, but not done as written: "AWS_RETRY_MODE=adaptive ..."
};

// kConfiguration: a value is malformed; the setting is named and what it accepts.
Result<ClientSettings> LoadClientSettings(const Variables& variables, const Profiles& profiles);

}  // namespace qarion::secrets::aws
