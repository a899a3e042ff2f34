// ECS, EKS Pod Identity and whatever else speaks their protocol: a local address that gives
// credentials in JSON.
#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "aws/credential_document.h"
#include "aws/credential_source.h"
#include "aws/metadata_address.h"
#include "core/files.h"
#include "core/json_document.h"
#include "net/retry.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

constexpr char kToken[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr char kTokenFile[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

// botocore's.
constexpr int kAttempts = 3;
constexpr std::chrono::seconds kTimeout{2};
constexpr std::chrono::seconds kPause{1};
constexpr std::size_t kLongestContainerToken = std::size_t{64} * 1024;

Result<Secret> CheckedToken(std::string_view token, const std::string& what, const char* setting) {
  const auto refuse = [&](ErrorCode code, const char* problem) {
    return Error(code, what + " " + problem)
        .With("setting", setting)
        .Cure("put the token there, and nothing else");
  };
  if (token.empty()) return refuse(ErrorCode::kConfiguration, "holds nothing");
  if (!net::IsHeaderValue(token)) {
    return refuse(ErrorCode::kBadData,
                  "holds a line break or another character that cannot be sent in a header");
  }
  return Secret::CopyOf(token);
}

// The value of the header Authorization; empty: none is sent. Unlike botocore, which refuses it,
// this forgives a file the newline at its end, as the other clients do.
Result<Secret> ReadToken(const Variables& variables) {
  if (const auto path = variables.Find(kTokenFile)) {
    auto file = core::ReadFile(std::string(*path), kTokenFile, core::PipesAllowed::kNo,
                               kLongestContainerToken);
    if (!file) return std::move(file).error();
    std::string_view token = file->bytes.Reveal();
    if (token.ends_with('\n')) token.remove_suffix(1);
    if (token.ends_with('\r')) token.remove_suffix(1);
    return CheckedToken(token, std::string(kTokenFile) + ": " + std::string(*path), kTokenFile);
  }
  if (const auto token = variables.Find(kToken)) return CheckedToken(*token, kToken, kToken);
  return Secret();
}

// What the endpoint says of a refusal, where it is meant for people: the agent of EKS answers in
// plain text, others in JSON. Anything else might be anything.
std::string Said(const net::HttpResponse& response, std::span<const Secret> sent) {
  const std::string_view body = response.body.Reveal();
  if (const auto json = core::JsonDocument::Parse(body, "")) {
    return RefusalIn(*json, sent).text;
  }
  return body.find_first_of("<{") == std::string_view::npos ? net::OneLine(body, sent) : "";
}

ErrorCode CodeOf(int status) {
  if (status == 401 || status == 403) return ErrorCode::kNotPermitted;
  if (status == 429) return ErrorCode::kTryAgain;
  return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kConfiguration;
}

Error Unusable(const ContainerAddress& place, ErrorCode code, const std::string& problem) {
  return Error(code,
               place.shown + ", where " + place.setting + " says that credentials are, " + problem)
      .With("setting", place.setting)
      .Cure(
          "see that the task, pod or function has a role, and that the variables are the ones it "
          "was started with");
}

Error Refused(const ContainerAddress& place, const net::HttpResponse& response,
              std::span<const Secret> sent) {
  const std::string status = std::to_string(response.status);
  if (response.status >= 300 && response.status < 400) {
    return Unusable(place, ErrorCode::kConfiguration,
                    "redirects elsewhere (" + status + "); nothing was sent there");
  }
  const std::string said = Said(response, sent);
  return Unusable(place, CodeOf(response.status),
                  "answers " + status + (said.empty() ? "" : ": ") + said);
}

class ContainerSource final : public CredentialSource {
 public:
  explicit ContainerSource(const SourceContext& context) : context_(context) {}

  std::string Name() const override { return "container"; }

  Result<Offer> Get(const net::Call& call) override {
    auto found = FindContainerAddress(context_.variables);
    if (!found) return std::move(found).error();
    if (!*found) {
      return Offer{.why_not =
                       "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set"};
    }
    const ContainerAddress& place = **found;
    auto token = ReadToken(context_.variables);
    if (!token) return std::move(token).error();
    context_.held.Hold("token of container", *token);
    auto document = Ask(place, *token, call);
    if (!document) return std::move(document).error();
    auto credentials =
        CredentialsFromJson(*document, kMetadataDocument, "container (" + place.shown + ")");
    if (!credentials) {
      return Unusable(place, credentials.error().code(),
                      "answers without credentials: " + credentials.error().reason());
    }
    return Offer{.credentials = std::move(*credentials)};
  }

 private:
  Result<core::JsonDocument> Ask(const ContainerAddress& place, const Secret& token,
                                 const net::Call& call) {
    net::HttpRequest request{.url = place.url, .is_path_secret = true};
    request.headers.push_back({"Accept", Secret::CopyOf("application/json")});
    if (!token.empty()) request.headers.push_back({"Authorization", token.Share()});

    std::optional<core::JsonDocument> document;
    const net::RetryPolicy policy{
        .most_attempts = kAttempts,
        .is_worth_another_try =
            [&](const net::HttpResponse& response) {
              if (response.status != 200) return true;
              auto parsed = core::JsonDocument::Parse(response.body.Reveal(), "");
              if (parsed) document = std::move(*parsed);
              return !parsed;
            },
        .pause = [](const net::Attempt&, int, core::Random&) { return kPause; },
        .cost = [](const net::Attempt&) { return 0; }};
    net::RetryBudget budget;
    auto response = net::SendWithRetries(
        [&](int attempt) {
          const auto end = std::min(call.deadline, context_.clock.SteadyNow() + kTimeout);
          return context_.metadata.Send(request, end, call.stop, attempt);
        },
        policy,
        {.clock = context_.clock,
         .random = context_.random,
         .budget = budget,
         .deadline = call.deadline,
         .stop = call.stop});
    if (!response) {
      return Error(response.error().code(), "no credentials from the address in " + place.setting +
                                                ": " + response.error().reason())
          .With("setting", place.setting)
          .Cure(response.error().cure());
    }
    const Secret sent[] = {token.Share(),
                           Secret::CopyOf(std::string_view(place.url).substr(place.shown.size()))};
    if (response->status != 200) return Refused(place, *response, sent);
    if (!document) {
      return Unusable(place, ErrorCode::kUnavailable,
                      "does not answer in JSON, so that something else answers there");
    }
    if (const Refusal refusal = RefusalIn(*document, sent); !refusal.code.empty()) {
      const bool is_definite = IsAccessDenied(refusal.code);
      return Unusable(place, is_definite ? ErrorCode::kNotPermitted : ErrorCode::kUnavailable,
                      "answers 200, but with a refusal: " + refusal.text);
    }
    return std::move(*document);
  }

  const SourceContext context_;
};

}  // namespace

SourcePtr MakeContainerSource(const SourceContext& context) {
  return std::make_unique<ContainerSource>(context);
}

}  // namespace qarion::secrets::aws
