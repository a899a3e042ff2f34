// Any bytes as an answer of Google's: of Secret Manager, of an endpoint that hands out tokens.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gcp/api_answer.h"
#include "gcp/token_request.h"
#include "providers/gcp_sm/secret_version.h"
#include "require.h"

namespace gcp = qarion::secrets::gcp;
namespace gcp_sm = qarion::secrets::gcp_sm;
namespace net = qarion::secrets::net;
using qarion::secrets::Secret;

namespace {

constexpr std::string_view kSent = "fake-ya29.token-that-was-sent";
constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'767'225'600)};

bool IsOneLine(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

void CheckError(const qarion::secrets::Error& error) {
  Require(!error.reason().empty() && !error.cure().empty());
  for (const std::string_view text : {error.reason(), error.cure()}) {
    Require(IsOneLine(text) && text.find(kSent) == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int kStatuses[] = {200, 302, 400, 401, 403, 404, 429, 500, 503};
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  net::HttpResponse response{.status = kStatuses[data[0] % std::size(kStatuses)],
                             .headers = {},
                             .body = Secret::CopyOf(text)};
  response.headers.push_back({"date", Secret::CopyOf(text.substr(0, 40))});
  std::vector<Secret> hidden;
  hidden.push_back(Secret::CopyOf(kSent));
  static_cast<void>(gcp::SaysTransient(response));
  const gcp::ApiAnswer answer = gcp::ReadAnswer(std::move(response), "h.googleapis.com", hidden);
  const gcp_sm::SecretName asked{
      .project = "my-project", .location = {}, .secret = "s", .version = "latest"};
  if (!answer.is_ok()) {
    CheckError(gcp::ErrorOf(answer, "asking", "serviceAccount:a@b", kNow));
    CheckError(gcp_sm::Refused(answer, asked, "", kNow));
    static_cast<void>(gcp_sm::IsOutOfUse(answer));
    return 0;
  }
  const auto version = gcp_sm::VersionFrom(answer, asked);
  if (version) {
    Require(gcp_sm::IsNumber(version->number) && version->data.size() <= 65'536);
    const auto payload = gcp_sm::PayloadFrom(*version, asked);
    Require(payload ? payload->version == version->number : !payload.error().cure().empty());
  } else {
    CheckError(version.error());
  }
  const auto first = gcp_sm::FirstVersionIn(answer);
  Require(!first || gcp_sm::IsNumber(*first));
  if (!answer.json) return 0;
  for (const auto& token : {gcp::TokenIn(*answer.json, "asking", kNow),
                            gcp::ImpersonatedTokenIn(*answer.json, "asking")}) {
    Require(token ? !token->text.empty() : !token.error().cure().empty());
  }
  return 0;
}
