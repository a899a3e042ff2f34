// AWS Signature Version 4: proves to an AWS service who sent a request and that nobody changed it.
//
// All functions are pure: the same arguments give the same signature, nothing is read from
// elsewhere, no clock either. So they may be called from several threads.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "crypto/canonical_request.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

// Who signs. The three belong together: a token fits only the key it was issued with.
struct SigningCredentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty where the credentials are not temporary
};

// Whether it can be a part of a signature's scope, as a key id and a region are: text that can be
// seen, without / and comma.
bool IsScopePart(std::string_view text);

// Where a signature is good, beside the day it was made on.
struct CredentialScope {
  std::string region;   // "eu-central-1"
  std::string service;  // the signing name, "secretsmanager", which may differ from the host's
};

struct SigningOptions {
  PathStyle path_style = PathStyle::kNormalized;
  // Whether the header form adds `x-amz-content-sha256`, which S3 demands. The hash of the payload
  // is part of the signature in any case.
  bool add_payload_hash = false;
  // False: the session token is added to the request after the signature, as a few services want
  // it.
  bool sign_session_token = true;
};

struct Signature {
  // For finding out why a service refuses a signature: services quote the one they calculated. It
  // contains no secret but the session token, which in the header form is the line
  // `x-amz-security-token` and in the query form a parameter; and whatever the caller's own headers
  // and query are.
  Secret canonical_request;
  std::string string_to_sign;  // no secrets
  std::string hex;             // the signature: 64 hexadecimal digits in lower case
};

struct AddedHeader {
  std::string name;
  Secret value;
};

struct HeaderSignature {
  Signature signature;
  // To be sent beside those of the request: X-Amz-Security-Token where there is a token,
  // X-Amz-Date, x-amz-content-sha256 where asked for, Authorization.
  std::vector<AddedHeader> headers;
};

struct QuerySignature {
  Signature signature;
  // To be sent in place of the request's: the same with the parameters X-Amz-... after it. Whoever
  // sees it can make the request until it expires.
  Secret query;
};

// Signs with a header `Authorization`. `time` is the one of the clock on the wall (UTC), to the
// second; services accept signatures for a few minutes.
//
// kConfiguration: the credentials or the scope are empty or have characters that cannot be sent;
// the text names which, never their content. kInternal: see CheckSigningRequest and Sha256; the
// request has a header already that this would add; the year has not four digits.
Result<HeaderSignature> SignWithHeaders(const SigningRequest& request,
                                        const SigningCredentials& credentials,
                                        const CredentialScope& scope, std::chrono::sys_seconds time,
                                        const SigningOptions& options = {});

// Signs with parameters of the query, so that the URL alone is enough: a presigned URL. It can be
// used from `time` until `lifetime` later. Errors as above; kInternal also for a `lifetime` that is
// not between a second and a week.
Result<QuerySignature> SignWithQuery(const SigningRequest& request,
                                     const SigningCredentials& credentials,
                                     const CredentialScope& scope, std::chrono::sys_seconds time,
                                     std::chrono::seconds lifetime,
                                     const SigningOptions& options = {});

// The key that signs requests of one day within the scope. kInternal: see Sha256, and as above for
// the year.
Result<Secret> DeriveSigningKey(const Secret& secret_access_key, const CredentialScope& scope,
                                std::chrono::sys_seconds time);

}  // namespace qarion::secrets::crypto
