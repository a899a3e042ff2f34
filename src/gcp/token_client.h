// Asks the endpoints that hand out tokens.
#pragma once

#include <span>
#include <string>

#include "gcp/api_answer.h"
#include "gcp/source_context.h"
#include "gcp/token_request.h"
#include "net/call.h"
#include "net/http.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::gcp {

// Sends `request` and up to two more times where the endpoint fails for a moment: it answers 408,
// 429, 500, 503 or 504 or says so in its error, or nothing comes and the request is repeatable.
// `doing` begins errors ("the exchange of the subject token"); `asker`, `hidden`: see ErrorOf and
// ReadAnswer.
//
// Returns an answer of 2xx in JSON. Errors: those of HttpClient::Send, ErrorOf and NotOfGoogle.
// Thread-safety: one thread at a time for one context.
Result<ApiAnswer> AskForToken(const net::HttpRequest& request, const std::string& doing,
                              const std::string& asker, std::span<const Secret> hidden,
                              const SourceContext& context, const net::Call& call);

}  // namespace qarion::secrets::gcp
