// A version of a secret as Secret Manager has it: how it is asked for, and what answers mean.
// Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gcp/api_answer.h"
#include "gcp/session.h"
#include "net/retry.h"
#include "providers/gcp_sm/secret_name.h"
#include "qarion/secrets/provider.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp_sm {

// The calls versions.access, versions.get, and versions.list for the newest one that is enabled.
// `endpoint`: see EndpointOf.
gcp::ApiRequest AccessRequest(const std::string& endpoint, const SecretName& name);
gcp::ApiRequest GetRequest(const std::string& endpoint, const SecretName& name);
// `page`: the nextPageToken of the answer before, or empty.
gcp::ApiRequest ListEnabledRequest(const std::string& endpoint, const SecretName& name,
                                   std::string_view page = {});

// "https://secretmanager.googleapis.com", or that of the location.
std::string EndpointOf(const SecretName& name, const std::string& universe);

// When versions.access is tried again: as Google's configuration of the service has it, on
// UNAVAILABLE and RESOURCE_EXHAUSTED alone, 5 times, with pauses that double from 2 s. Other calls
// are not.
net::RetryPolicy AccessPolicy();
net::RetryPolicy OncePolicy();

// What an answer to versions.access holds.
struct SecretVersion {
  std::string number;
  Secret data;
  std::optional<std::uint32_t> checksum;  // CRC-32C, where it was sent

  bool IsIntact() const;
};

// Of an answer of 2xx. kBadData: it is not such an answer, is of another secret or version than
// `asked`, larger than 64 KiB, or not base64; or see gcp::NotOfGoogle. kConfiguration: its project
// has another number than `asked` says.
Result<SecretVersion> VersionFrom(const gcp::ApiAnswer& answer, const SecretName& asked);

// The fields in a version. kBadData: its data is no JSON object of fields, or not what its checksum
// is of.
Result<Payload> PayloadFrom(const SecretVersion& version, const SecretName& asked);

// The number of the first version in an answer to versions.list; nothing where there is none.
std::optional<std::string> FirstVersionIn(const gcp::ApiAnswer& answer);

// Whether an answer says that the version is disabled or destroyed.
bool IsOutOfUse(const gcp::ApiAnswer& answer);

// What an answer other than 2xx means. `asker`: see gcp::ErrorOf. `permission`: that the call
// needs. kConfiguration: there is no such secret or version, or it is disabled or destroyed;
// kNotPermitted: a permission is missing; else see gcp::ErrorOf. What Google's configuration of the
// service does not have tried again, such as INTERNAL, is not to be repeated.
Error Refused(const gcp::ApiAnswer& answer, const SecretName& asked, const std::string& asker,
              std::chrono::system_clock::time_point now,
              std::string_view permission = "secretmanager.versions.access");

}  // namespace qarion::secrets::gcp_sm
