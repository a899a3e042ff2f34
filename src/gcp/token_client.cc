#include "gcp/token_client.h"

#include <utility>

#include "net/url.h"

namespace qarion::secrets::gcp {

Result<ApiAnswer> AskForToken(const net::HttpRequest& request, const std::string& doing,
                              const std::string& asker, std::span<const Secret> hidden,
                              const SourceContext& context, const net::Call& call) {
  Patience patience{.may_pass = [](const net::HttpResponse& response) {
    return IsBusy(response) || SaysTransient(response);
  }};
  if (!request.is_repeatable) patience.attempts = 1;
  const auto url = net::ParseUrl(request.url);
  auto response = SendPatiently(context.services, request, patience, context, call);
  if (!response) return std::move(response).error();
  ApiAnswer answer = ReadAnswer(std::move(*response), url ? url->host : "", hidden);
  if (!answer.is_ok()) return ErrorOf(answer, doing, asker, context.clock.SystemNow());
  if (!answer.json) return NotOfGoogle(answer, doing);
  return answer;
}

}  // namespace qarion::secrets::gcp
