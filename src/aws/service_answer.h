// What AWS services answer.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "net/http.h"
#include "qarion/secrets/error.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// An answer of any status.
struct ServiceAnswer {
  int status = 0;
  Secret body;
  std::optional<core::JsonDocument> json;  // none where the body is none
  // Of a status other than 2xx: "ResourceNotFoundException", without name space and suffix; from
  // JSON, a header or XML. Empty where the answer does not say.
  std::string error_code;
  std::string error_text;  // one line fit for people, without what was sent
  std::string request_id;  // or empty
  std::optional<std::chrono::sys_seconds> date;
  std::string host;  // that answered

  core::JsonValue operator[](std::string_view name) const {
    return json ? (*json)[name] : core::JsonValue();
  }
  bool is_ok() const noexcept { return status >= 200 && status < 300; }
};

// `hidden`: what was sent and must not be seen, should the answer quote it.
ServiceAnswer ReadAnswer(net::HttpResponse response, std::string host,
                         std::span<const Secret> hidden);

// `error_code` of an answer.
std::string ErrorCodeOf(const net::HttpResponse& response);

// What a refusal means to one caller, where that is more than its error code says.
struct Meaning {
  std::string_view error_code;  // valid for ever
  ErrorCode code;
  std::string cure;
};

// The error that an answer other than 2xx amounts to: by status and code transient, not permitted
// or about settings; or what one of `meanings` says. `doing`: "sts:AssumeRole", named with host,
// code and text.
Error ErrorOf(const ServiceAnswer& answer, const std::string& doing,
              std::span<const Meaning> meanings = {});

// An answer of 2xx that is none of the service's: something else answered in its place, such as a
// proxy with a page of its own. kUnavailable: it tells nothing.
Error NotOfTheService(const ServiceAnswer& answer, const std::string& doing);

// The service says that it is asked too often.
bool IsThrottling(int status, std::string_view error_code);
// The service says that it failed, or was too slow.
bool IsTransient(int status, std::string_view error_code);
// The credentials ended.
bool SaysExpired(std::string_view error_code);
// The credentials ended or are not known (any more): others are worth one try.
bool IsAboutCredentials(std::string_view error_code);
// The credentials may not do it.
bool IsAccessDenied(std::string_view error_code);
// The signature's time, or what depends on it, is not accepted.
bool MayBeAboutClock(std::string_view error_code);

}  // namespace qarion::secrets::aws
