// What the tests of HttpClient share.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "net/http_client.h"

namespace qarion::secrets::net {

inline constexpr char kTestToken[] = "fake-token-of-the-client";

inline HttpRequest Get(std::string url) {
  HttpRequest request{.url = std::move(url)};
  request.headers.push_back({"X-Fake-Token", Secret::CopyOf(kTestToken)});
  return request;
}

inline Attempt Send(HttpClient& client, const HttpRequest& request,
                    std::chrono::milliseconds time = std::chrono::seconds(20)) {
  return client.Send(request, Clock::System()->SteadyNow() + time);
}

// The body of the answer, or why there is none.
inline std::string Body(const Attempt& made) {
  return made.result ? std::string(made.result->body.Reveal()) : made.result.error().reason();
}

}  // namespace qarion::secrets::net
