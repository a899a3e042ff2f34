// Who runs in AWS shows Google a request for AWS's STS, GetCallerIdentity, that it signed and did
// not send (AIP-4117).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "crypto/sigv4.h"
#include "gcp/credential_file.h"
#include "gcp/source_context.h"
#include "net/call.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// The keys in a document of the instance's metadata: AccessKeyId, SecretAccessKey and Token, the
// last maybe missing. `from` begins errors, which show none of them. kConfiguration: the service
// refuses, with a Code other than Success. kBadData: they are not there, or cannot be keys. Pure.
Result<crypto::SigningCredentials> AwsKeysIn(std::string_view document, const std::string& from);

// "us-east-2b" -> "us-east-2". Empty where it has other characters than a region has. Pure.
std::string_view RegionOfZone(std::string_view zone);

// The signed request as the text that Google takes for a token: JSON, percent-encoded.
// `verification_url`: of STS, with "{region}" in it where the region belongs. `audience`: the
// provider's, in a header that is not signed, as Google's libraries for Python and Node have it.
//
// kConfiguration: the URL is not https; the keys are none. Pure, as crypto::SignWithHeaders is.
Result<Secret> SignedCallerIdentity(const std::string& verification_url, const std::string& region,
                                    const crypto::SigningCredentials& keys,
                                    const std::string& audience, std::chrono::sys_seconds now);

// Takes keys and region from the environment, else from the instance's metadata where the file
// names its URLs. Errors: see GetSubjectToken. Thread-safety: from several threads.
Result<Secret> GetAwsSubjectToken(const AwsSource& source, const std::string& audience,
                                  const SourceContext& context, const net::Call& call);

}  // namespace qarion::secrets::gcp
