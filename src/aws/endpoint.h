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

// By the published endpoint rules of each service. kConfiguration: the region has not the form of
// one, FIPS or dual stack is not to be had there, or is asked for together with a configured
// endpoint in a way that the rules forbid.
Result<Endpoint> ResolveEndpoint(Service service, const std::string& region,
                                 const ClientSettings& settings);

// "aws", "aws-cn", ...: by the published list, "aws" where a region is in none.
std::string_view PartitionOf(std::string_view region);

// "secretsmanager", "sts", "sso", "sso-oauth": as it stands in credential scopes.
std::string_view SigningName(Service service);

}  // namespace qarion::secrets::aws
