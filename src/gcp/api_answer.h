// What Google's APIs, and the endpoints that hand out tokens, answer.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "net/http.h"
#include "qarion/secrets/error.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// An answer of any status.
struct ApiAnswer {
  int status = 0;
  Secret body;
  std::optional<core::JsonDocument> json;  // none where the body is none
  // Of a status other than 2xx: "PERMISSION_DENIED" (AIP-193), or "invalid_grant" (RFC 6749, 5.2).
  // Empty where the answer does not say.
  std::string error_code;
  std::string error_text;  // one line fit for people, without what was sent
  // Of its ErrorInfo, or empty: "SERVICE_DISABLED", and what belongs to it: "service", "consumer",
  // "permission".
  std::string reason;
  std::map<std::string, std::string, std::less<>> metadata;
  std::optional<std::chrono::sys_seconds> date;
  std::string host;  // that answered

  core::JsonValue operator[](std::string_view name) const {
    return json ? (*json)[name] : core::JsonValue();
  }
  bool is_ok() const noexcept { return status >= 200 && status < 300; }
};

// `hidden`: what was sent and must not be seen, should the answer quote it.
ApiAnswer ReadAnswer(net::HttpResponse response, std::string host, std::span<const Secret> hidden);

// Whether an endpoint that hands out tokens says that it fails for a moment.
bool SaysTransient(const net::HttpResponse& response);

// The error that an answer other than 2xx amounts to, with the cure that belongs to Google's
// reason. `doing`: "reading the secret", named with host, code and text. `asker`: whom a missing
// role is to be granted to, as IAM writes it ("serviceAccount:a@b"), or empty. `now`: by this
// machine's clock, which may be what is wrong.
Error ErrorOf(const ApiAnswer& answer, const std::string& doing, const std::string& asker,
              std::chrono::system_clock::time_point now);

// The predefined role that has a permission; empty where none is known here.
std::string_view RoleOf(std::string_view permission);

// An answer of 2xx that is none of Google's: something else answered in its place, such as a proxy
// with a page of its own. kUnavailable: it tells nothing.
Error NotOfGoogle(const ApiAnswer& answer, const std::string& doing);

// How far this machine's clock is ahead of an answer's, where that is more than a minute.
std::optional<std::chrono::seconds> SkewOf(const ApiAnswer& answer,
                                           std::chrono::system_clock::time_point now);

// "this machine's clock is 3600 s ahead of that of oauth2.googleapis.com".
std::string DescribeSkew(std::chrono::seconds skew, const std::string& host);

}  // namespace qarion::secrets::gcp
