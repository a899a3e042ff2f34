// An HTTP exchange as values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

// One line of a header. Values may be credentials, so each lives in secret memory.
struct HttpHeader {
  std::string name;
  Secret value;
};

struct HttpRequest {
  std::string method = "GET";
  // Absolute, http or https, already percent-encoded; no user, no password, no fragment.
  std::string url;
  std::vector<HttpHeader> headers;
  Secret body;  // sent where it is not empty or the method is POST or PUT
  // Whether the server may see it twice. Where it may not, it is sent on a connection of its own:
  // an old one may turn out to be dead, and nobody knows whether the request was read before.
  bool is_repeatable = true;
  // Whether whoever knows the path may ask too: it is left out of the trace.
  bool is_path_secret = false;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  // names in lower case, in the order they came
  Secret body;
  std::chrono::milliseconds elapsed{};

  // The first value of a header by its name in lower case.
  std::optional<std::string_view> Find(std::string_view name) const noexcept;
};

// Whether it can be the name of a header, or a method (RFC 9110, 5.6.2).
bool IsHeaderName(std::string_view text) noexcept;
// Whether it has no byte that could end a header's line (RFC 9110, 5.5).
bool IsHeaderValue(std::string_view text) noexcept;

}  // namespace qarion::secrets::net
