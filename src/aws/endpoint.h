// Where a service of AWS is reached in a region.
#pragma once

#include <string>
#include <string_view>

#include "aws/client_settings.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

struct Endpoint {
  std::string url;  // "https://secretsmanager.eu-central-1.amazonaws.com"; no slash at its end
  std::string signing_region;
  std::string setting;  // that configured it; empty: by the published rules
};

// Where it is configured, there; else by the published endpoint rules of each service. As with
// boto3, a configured endpoint wins over FIPS and dual stack (the settings have a notice of it).
// `region` may be empty for STS alone, which answers without one. kConfiguration: no region, it has
// not the form of one, or there is no dual stack in its partition.
Result<Endpoint> ResolveEndpoint(Service service, const std::string& region,
                                 const ClientSettings& settings);

// "aws", "aws-cn", ...: by the published list, "aws" where a region is in none.
std::string_view PartitionOf(std::string_view region);

// "secretsmanager", "sts", "awsssoportal", "sso-oauth": as it stands in credential scopes.
std::string_view SigningName(Service service);

}  // namespace qarion::secrets::aws
