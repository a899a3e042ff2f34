// The canonical form of a request, which both sides of AWS Signature Version 4 calculate alike.
//
// Quotations here and in the source are from "Create a signed AWS API request",
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
// unless they say otherwise.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::crypto {

// How a service reads the path it is sent.
enum class PathStyle {
  // All services but S3: without empty and dot segments, and encoded once more than it is sent.
  kNormalized,
  // S3, where the path is the name of an object: every segment counts, and it is encoded once.
  kObjectKey,
};

// One line of a header, or of several with the same name. Lifetime: that of what is viewed.
struct SigningHeader {
  std::string_view name;   // in any case
  std::string_view value;  // as sent; white space is made canonical here
};

// What of a request is signed. Lifetime: a view of the caller's request, for the time of a call.
struct SigningRequest {
  std::string_view method;  // in upper case
  std::string_view path;    // as sent, maybe percent-encoded; empty means "/"
  // As sent, without the question mark. A plus sign stands for itself, so a space is sent as %20;
  // empty parameters (`a=1&&b=2`) are left out. Where form encoding reads `+` as a space, or an
  // empty parameter counts, sender and server would disagree: send neither.
  std::string_view query;
  // All that are sent, `Host` among them, but for those that are added after signing. Those that a
  // proxy may change, such as User-Agent, are left out of the signature.
  std::vector<SigningHeader> headers;
  std::string_view payload;  // the body
};

// Headers in their canonical form.
struct CanonicalHeaders {
  SecretBuffer lines;  // "name:value\n" each; of a header that occurs twice "name:first,second\n"
  std::string signed_names;  // "host;x-amz-date": SignedHeaders
};

// CanonicalUri. Begins with a slash whatever the path is.
void AppendCanonicalPath(std::string_view path, PathStyle style, SecretBuffer& out);

// CanonicalQueryString. What is encoded already, correctly or not, is encoded once afterwards, so
// that doing it twice changes nothing.
void AppendCanonicalQuery(std::string_view query, SecretBuffer& out);

// The value without white space at its ends and with one space for each run of it. Doing it twice
// changes nothing.
void AppendCanonicalHeaderValue(std::string_view value, SecretBuffer& out);

CanonicalHeaders MakeCanonicalHeaders(std::span<const SigningHeader> headers);

// Whether the request can be signed without another one having the same canonical form: kInternal
// where the method or a header's name is no token, or there is not exactly one host.
Status CheckSigningRequest(const SigningRequest& request);

}  // namespace qarion::secrets::crypto
