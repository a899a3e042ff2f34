#include "gcp/token_client.h"

#include <algorithm>
#include <utility>

#include "net/retry.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

constexpr int kMostAttempts = 3;

net::RetryPolicy PolicyFor(const net::HttpRequest& request) {
  net::RetryPolicy policy{.most_attempts = kMostAttempts};
  policy.is_worth_another_try = [](const net::HttpResponse& response) {
    constexpr int kStatuses[] = {408, 429, 500, 503, 504};
    return std::ranges::find(kStatuses, response.status) != std::end(kStatuses) ||
           SaysTransient(response);
  };
  if (!request.is_repeatable) policy.most_attempts = 1;
  return policy;
}

}  // namespace

Result<ApiAnswer> AskForToken(const net::HttpRequest& request, const std::string& doing,
                              const std::string& asker, std::span<const Secret> hidden,
                              const SourceContext& context, const net::Call& call) {
  const auto url = net::ParseUrl(request.url);
  auto response = net::SendWithRetries(
      [&](int attempt) {
        return context.services.Send(request, AttemptEnd(call, context.clock), call.stop, attempt);
      },
      PolicyFor(request),
      {.clock = context.clock,
       .random = context.random,
       .budget = context.budget,
       .deadline = call.deadline,
       .stop = call.stop});
  if (!response) return std::move(response).error();
  ApiAnswer answer = ReadAnswer(std::move(*response), url ? url->host : "", hidden);
  if (!answer.is_ok()) return ErrorOf(answer, doing, asker, context.clock.SystemNow());
  if (!answer.json) return NotOfGoogle(answer, doing);
  return answer;
}

}  // namespace qarion::secrets::gcp
