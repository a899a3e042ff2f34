#include "gcp/source_request.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_document.h"
#include "net/retry.h"
#include "net/server_text.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMostAttempts = 3;
constexpr int kTooManyRequests = 429;
// An attempt gets no more than its part of the time that is left, so that a server that hangs
// leaves some to others.
constexpr seconds kShortestAttempt{1};

bool IsTransient(int status) { return status == kTooManyRequests || status >= 500; }

// What must not be seen, should the answer quote it.
std::vector<Secret> SentIn(const net::HttpRequest& request) {
  std::vector<Secret> sent;
  for (const net::HttpHeader& header : request.headers) sent.push_back(header.value.Share());
  if (!request.body.empty()) sent.push_back(request.body.Share());
  const std::size_t query = request.url.find('?');
  if (query != std::string::npos) {
    sent.push_back(Secret::CopyOf(std::string_view(request.url).substr(query + 1)));
  }
  return sent;
}

// What the server says of a refusal, where it is meant for people. Anything else might be anything.
std::string Said(std::string_view body, std::span<const Secret> sent) {
  const auto json = core::JsonDocument::Parse(body, "the answer");
  if (!json) {
    return body.find_first_of("<{[") == std::string_view::npos ? net::OneLine(body, sent) : "";
  }
  for (const char* const name : {"error_description", "message", "error"}) {
    if (const auto text = (*json)[name].Text()) return net::OneLine(*text, sent);
  }
  return "";
}

Result<net::HttpResponse> Send(net::HttpClient& client, const SourceRequest& source,
                               const SourceContext& context, const net::Call& call) {
  return net::SendWithRetries(
      [&](int attempt) {
        const auto now = context.clock.SteadyNow();
        const auto part = std::max<std::chrono::nanoseconds>(
            (call.deadline - now) / std::max(kMostAttempts - attempt + 1, 1), kShortestAttempt);
        const auto longest = std::min<std::chrono::nanoseconds>(part, source.timeout);
        return client.Send(source.request, std::min(call.deadline, now + longest), call.stop,
                           attempt);
      },
      {.most_attempts = kMostAttempts,
       .is_worth_another_try = [](const net::HttpResponse& r) { return IsTransient(r.status); },
       .backoff = {.first = milliseconds(200), .longest = seconds(1)}},
      {.clock = context.clock,
       .random = context.random,
       .budget = context.budget,
       .deadline = call.deadline,
       .stop = call.stop});
}

}  // namespace

Result<Secret> AskSource(net::HttpClient& client, const SourceRequest& source,
                         const SourceContext& context, const net::Call& call) {
  const auto response = Send(client, source, context, call);
  if (!response) {
    const Error& error = response.error();
    return Error(error.code(), source.member + ": " + error.reason())
        .With("setting", source.member)
        .Cure(error.IsTransient() ? source.cure : error.cure());
  }
  const auto url = net::ParseUrl(source.request.url);
  const std::string status = std::to_string(response->status);
  const auto wrong = [&](ErrorCode code, const std::string& problem, std::string cure) {
    return Error(code, source.member + ": " + (url ? url->host : "the server") + " " + problem)
        .With("setting", source.member)
        .With("status", status)
        .Cure(std::move(cure));
  };
  if (response->status >= 300 && response->status < 400) {
    return wrong(ErrorCode::kConfiguration, "redirects elsewhere (" + status + ")",
                 "name the address that answers: redirects are not followed");
  }
  if (response->status != 200) {
    const std::string said = Said(response->body.Reveal(), SentIn(source.request));
    return wrong(
        IsTransient(response->status) ? ErrorCode::kUnavailable : ErrorCode::kConfiguration,
        "answers " + status + (said.empty() ? "" : ": ") + said, source.cure);
  }
  if (response->body.size() > kMostSourceBytes) {
    return wrong(ErrorCode::kBadData,
                 "answers more than " + std::to_string(kMostSourceBytes) + " bytes",
                 "see that the URL is the one that gives what is needed and nothing else");
  }
  return response->body.Share();
}

}  // namespace qarion::secrets::gcp
