// What the server's HTTP API answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_document.h"
#include "net/http.h"
#include "qarion/secrets/error.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::vault {

struct ApiAnswer {
  int status = 0;
  Secret body;
  std::optional<core::JsonDocument> json;  // none where the body is none
  std::optional<std::chrono::sys_seconds> date;
  std::string address;  // that answered
  // The credentials of the request, also as texts in JSON: an answer may quote them.
  std::vector<Secret> sent;

  core::JsonValue operator[](std::string_view name) const {
    return json ? (*json)[name] : core::JsonValue();
  }
  // The server's `errors`, or `warnings`, as one line fit for people, without what was sent; empty
  // where there are none.
  std::string Errors() const;
  std::string Warnings() const;

  // Whether the server itself answered, and not something before it such as a proxy.
  bool IsOfTheApi() const;
  // Whether a refusal (403) is of what the token may do, and not of the token itself: as far as
  // that can be told from its text.
  bool IsAboutPolicies() const;

 private:
  std::string OneLineOf(std::string_view member) const;
};

// The error that an answer other than the expected one amounts to. `doing`: "reading
// secret/data/qarion".
Error ErrorOf(const ApiAnswer& answer, const std::string& doing);

// Whether a Content-Type is that of JSON.
bool IsJson(std::string_view content_type);

// Whether something before the server answered, such as a proxy with a page of its own.
bool IsOfSomethingElse(const net::HttpResponse& response);

// Whether another server of the cluster, or this one a little later, may answer otherwise.
bool IsUnableNow(const net::HttpResponse& response);

}  // namespace qarion::secrets::vault
