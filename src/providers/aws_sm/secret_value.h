// The secret as Secrets Manager has it: how it is asked for, and what answers mean.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/arn.h"
#include "aws/service_client.h"
#include "providers/aws_sm/aws_sm_settings.h"
#include "qarion/secrets/provider.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::aws_sm {

// GetSecretValue and DescribeSecret, to be signed.
aws::ServiceRequest ValueRequest(const aws::SecretId& secret, const VersionChoice& version);
aws::ServiceRequest DescriptionRequest(const aws::SecretId& secret);

// What an answer to GetSecretValue holds: fields, version, time. kConfiguration: there is no such
// secret, version or stage, or it is to be deleted; kNotPermitted: the credentials may not read or
// decrypt it; kBadData: it is not a JSON object of fields, or another secret than asked for; else
// see aws::ErrorOf and aws::NotOfTheService.
Result<Payload> PayloadFromValue(const aws::ServiceAnswer& answer, const aws::SecretId& secret,
                                 const VersionChoice& version);

// What DescribeSecret tells.
struct Description {
  std::string arn;
  std::string name;
  std::vector<std::pair<std::string, std::vector<std::string>>> versions;  // id and stages
  bool is_deleted = false;
  std::string kms_key;         // or empty: the account's own for Secrets Manager
  std::string primary_region;  // of a replica; or empty

  // The version that has a stage; empty where none has.
  std::string VersionAt(std::string_view stage) const;
  std::vector<std::string> Stages() const;  // sorted
};

// Nothing where it is no description of the secret.
std::optional<Description> DescriptionFrom(const aws::ServiceAnswer& answer,
                                           const aws::SecretId& secret);

}  // namespace qarion::secrets::aws_sm
