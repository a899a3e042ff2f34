#include "gcp/source_request.h"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_document.h"
#include "net/server_text.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Beside what Google's own servers say: the metadata of Azure's machines say 410 while they are
// being renewed.
bool MayPass(const net::HttpResponse& response) {
  constexpr int kGone = 410;
  return IsBusy(response) || response.status >= 500 || response.status == kGone;
}

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

}  // namespace

Result<Secret> AskSource(net::HttpClient& client, const SourceRequest& source,
                         const SourceContext& context, const net::Call& call) {
  const auto response =
      SendPatiently(client, source.request,
                    {.most_attempts = 3,
                     .is_worth_another_try = MayPass,
                     .backoff = {.first = milliseconds(200), .longest = seconds(1)}},
                    context, call, source.timeout);
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
    return wrong(MayPass(*response) ? ErrorCode::kUnavailable : ErrorCode::kConfiguration,
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
