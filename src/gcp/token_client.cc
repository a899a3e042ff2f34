#include "gcp/token_client.h"

#include <utility>
#include <vector>

#include "core/percent_encoding.h"
#include "net/url.h"

namespace qarion::secrets::gcp {

namespace {

// What is hidden, also as a form has it, and the header that says who asks.
std::vector<Secret> FormsOf(const net::HttpRequest& request, std::span<const Secret> hidden) {
  std::vector<Secret> forms;
  for (const Secret& secret : hidden) {
    forms.push_back(secret.Share());
    SecretBuffer encoded;
    core::AppendPercentEncoded(secret.Reveal(), encoded);
    forms.push_back(std::move(encoded).Seal());
  }
  for (const net::HttpHeader& header : request.headers) {
    if (header.name == "Authorization") forms.push_back(header.value.Share());
  }
  return forms;
}

}  // namespace

Result<ApiAnswer> AskForToken(const net::HttpRequest& request, const std::string& doing,
                              const std::string& asker, std::span<const Secret> hidden,
                              const SourceContext& context, const net::Call& call) {
  const net::RetryPolicy policy{.most_attempts = request.is_repeatable ? 3 : 1,
                                .is_worth_another_try = [](const net::HttpResponse& response) {
                                  return IsBusy(response) || SaysTransient(response);
                                }};
  const auto url = net::ParseUrl(request.url);
  auto response = SendPatiently(context.services, request, policy, context, call);
  if (!response) return std::move(response).error();
  const auto sent = FormsOf(request, hidden);
  ApiAnswer answer = ReadAnswer(std::move(*response), url ? url->host : "", sent);
  if (!answer.is_ok()) return ErrorOf(answer, doing, asker, context.clock.SystemNow());
  if (!answer.json) return NotOfGoogle(answer, doing);
  return answer;
}

}  // namespace qarion::secrets::gcp
