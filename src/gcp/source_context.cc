#include "gcp/source_context.h"

#include <algorithm>
#include <iterator>

namespace qarion::secrets::gcp {

bool IsBusy(const net::HttpResponse& response) {
  constexpr int kStatuses[] = {408, 429, 500, 503, 504};
  return std::ranges::find(kStatuses, response.status) != std::end(kStatuses);
}

Result<net::HttpResponse> SendPatiently(net::HttpClient& client, const net::HttpRequest& request,
                                        const net::RetryPolicy& policy,
                                        const SourceContext& context, const net::Call& call,
                                        std::chrono::milliseconds longest_attempt) {
  const auto send = [&](int attempt) {
    const auto now = context.clock.SteadyNow();
    const auto half =
        std::max<std::chrono::nanoseconds>((call.deadline - now) / 2, std::chrono::seconds(1));
    const auto part = std::min<std::chrono::nanoseconds>(half, longest_attempt);
    return client.Send(request, std::min(call.deadline, now + part), call.stop, attempt);
  };
  return net::SendWithRetries(send, policy,
                              {.clock = context.clock,
                               .random = context.random,
                               .budget = context.budget,
                               .deadline = call.deadline,
                               .stop = call.stop});
}

}  // namespace qarion::secrets::gcp
