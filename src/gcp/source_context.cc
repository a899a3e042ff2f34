#include "gcp/source_context.h"

#include <algorithm>
#include <iterator>

namespace qarion::secrets::gcp {

bool IsBusy(const net::HttpResponse& response) {
  constexpr int kStatuses[] = {408, 429, 500, 503, 504};
  return std::ranges::find(kStatuses, response.status) != std::end(kStatuses);
}

Clock::SteadyTime AttemptEnd(const net::Call& call, const Clock& clock) {
  const auto now = clock.SteadyNow();
  const auto half =
      std::max<std::chrono::nanoseconds>((call.deadline - now) / 2, std::chrono::seconds(1));
  return std::min(call.deadline, now + half);
}

Result<net::HttpResponse> SendPatiently(net::HttpClient& client, const net::HttpRequest& request,
                                        const Patience& patience, const SourceContext& context,
                                        const net::Call& call) {
  return net::SendWithRetries(
      [&](int attempt) {
        const auto end = std::min(AttemptEnd(call, context.clock),
                                  context.clock.SteadyNow() + patience.longest_attempt);
        return client.Send(request, end, call.stop, attempt);
      },
      {.most_attempts = patience.attempts,
       .is_worth_another_try = patience.may_pass,
       .backoff = patience.backoff},
      {.clock = context.clock,
       .random = context.random,
       .budget = context.budget,
       .deadline = call.deadline,
       .stop = call.stop});
}

}  // namespace qarion::secrets::gcp
