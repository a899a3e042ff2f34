// How the servers are asked that tokens of other identity providers, or keys for them, come from.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "gcp/source_context.h"
#include "net/call.h"
#include "net/http.h"
#include "net/http_client.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// Of an answer, a file or what a program prints: tokens are a few KiB.
inline constexpr std::size_t kMostSourceBytes = std::size_t{64} * 1024;

struct SourceRequest {
  net::HttpRequest request;
  // The member of the file with credentials that has the URL, for errors: "credential_source.url".
  std::string member;
  std::string cure;                   // of a refusal, and of silence
  std::chrono::milliseconds timeout;  // of one attempt
};

// Sends it through `client`, up to three times where the server fails for a moment (408, 410, 429,
// 5xx, no answer), and returns the body of an answer 200.
//
// Errors name the member and the host; what they quote of the answer has nothing of the headers,
// the body or the query that were sent. kUnavailable: no answer, or one of these. kConfiguration:
// another status, or see HttpClient::Send. kBadData: more than kMostSourceBytes, or no HTTP.
// Thread-safety: from several threads.
Result<Secret> AskSource(net::HttpClient& client, const SourceRequest& source,
                         const SourceContext& context, const net::Call& call);

}  // namespace qarion::secrets::gcp
