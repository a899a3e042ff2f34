// Keeps credentials of AWS for as long as they are good, and gets new ones in time.
#pragma once

#include <chrono>
#include <utility>

#include "aws/credentials.h"
#include "net/credential_cache.h"

namespace qarion::secrets::aws {

// With botocore's windows: 15 and 10 minutes.
class CredentialCache : public net::CredentialCache<Credentials> {
 public:
  CredentialCache(Fetch fetch, Clock& clock, Log log)
      : net::CredentialCache<Credentials>(
            "AWS credentials",
            {.advisory = std::chrono::minutes(15), .mandatory = std::chrono::minutes(10)},
            std::move(fetch), clock, std::move(log)) {}
};

}  // namespace qarion::secrets::aws
