#include "aws/service_answer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "aws/xml_document.h"
#include "core/ascii.h"
#include "net/http_date.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

// AccessDenied names a user, an action, a resource and the kind of policy that is missing.
constexpr std::size_t kLongestErrorText = 500;
constexpr std::size_t kLongestCode = 100;
constexpr char kPassOn[] =
    "see that the endpoint is the service's own, and that what stands before it passes requests "
    "on";

bool IsOneOf(std::string_view code, std::span<const std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// "aws.protocoltests#Name:http://..." -> "Name"; empty where that is not a word.
std::string PlainCode(std::string_view code) {
  code = code.substr(0, code.find(':'));
  if (const std::size_t hash = code.rfind('#'); hash != std::string_view::npos) {
    code.remove_prefix(hash + 1);
  }
  const bool is_word = code.size() <= kLongestCode && std::ranges::all_of(code, [](char c) {
                         return core::IsLetterOrDigit(c) || c == '.' || c == '_' || c == '-';
                       });
  return is_word ? std::string(code) : "";
}

bool IsXml(std::string_view body) { return core::Trimmed(body).starts_with('<'); }

std::optional<core::JsonDocument> JsonOf(std::string_view body) {
  if (!core::Trimmed(body).starts_with('{')) return std::nullopt;
  auto parsed = core::JsonDocument::Parse(body, "the answer");
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

std::string_view FirstText(const std::optional<core::JsonDocument>& json,
                           std::initializer_list<std::string_view> names) {
  if (!json) return "";
  for (const std::string_view name : names) {
    if (const auto text = (*json)[name].Text(); text && !text->empty()) return *text;
  }
  return "";
}

Secret TextInXml(std::string_view body, std::string_view path) {
  if (!IsXml(body)) return {};
  return XmlText(body, path).value_or(Secret());
}

std::string CodeOf(const net::HttpResponse& response,
                   const std::optional<core::JsonDocument>& json) {
  const std::string_view body = response.body.Reveal();
  std::string code = PlainCode(FirstText(json, {"__type", "code", "Code", "error"}));
  if (code.empty()) code = PlainCode(response.Find("x-amzn-errortype").value_or(""));
  if (code.empty()) code = PlainCode(TextInXml(body, "Error/Code").Reveal());
  return code;
}

std::string IdOf(const net::HttpResponse& response) {
  return PlainCode(response.Find("x-amzn-requestid").value_or(""));
}

}  // namespace

ServiceAnswer ReadAnswer(net::HttpResponse response, std::string host,
                         std::span<const Secret> hidden) {
  ServiceAnswer answer{.status = response.status,
                       .json = JsonOf(response.body.Reveal()),
                       .request_id = IdOf(response),
                       .host = std::move(host)};
  if (const auto date = response.Find("date")) answer.date = net::ParseHttpDate(*date);
  if (!answer.is_ok()) {
    answer.error_code = net::OneLine(CodeOf(response, answer.json), hidden);
    const Secret in_xml = TextInXml(response.body.Reveal(), "Error/Message");
    const std::string_view in_json =
        FirstText(answer.json, {"message", "Message", "error_description"});
    answer.error_text =
        net::OneLine(in_json.empty() ? in_xml.Reveal() : in_json, hidden, kLongestErrorText);
  }
  answer.body = std::move(response.body);
  return answer;
}

std::string ErrorCodeOf(const net::HttpResponse& response) {
  if (response.status < 300) return "";
  return CodeOf(response, JsonOf(response.body.Reveal()));
}

bool IsThrottling(int status, std::string_view error_code) {
  constexpr std::string_view kCodes[] = {"Throttling",
                                         "ThrottlingException",
                                         "ThrottledException",
                                         "RequestThrottledException",
                                         "TooManyRequestsException",
                                         "ProvisionedThroughputExceededException",
                                         "TransactionInProgressException",
                                         "RequestLimitExceeded",
                                         "BandwidthLimitExceeded",
                                         "LimitExceededException",
                                         "RequestThrottled",
                                         "SlowDown",
                                         "PriorRequestNotComplete",
                                         "EC2ThrottledException"};
  constexpr int kTooManyRequests = 429;
  return status == kTooManyRequests || IsOneOf(error_code, kCodes);
}

bool IsTransient(int status, std::string_view error_code) {
  constexpr std::array kStatuses = {500, 502, 503, 504};
  constexpr std::string_view kCodes[] = {"RequestTimeout", "RequestTimeoutException",
                                         "PriorRequestNotComplete"};
  return std::ranges::find(kStatuses, status) != kStatuses.end() || IsOneOf(error_code, kCodes);
}

bool SaysExpired(std::string_view error_code) {
  constexpr std::string_view kCodes[] = {"ExpiredToken", "ExpiredTokenException",
                                         "ExpiredTokenError", "TokenRefreshRequired"};
  return IsOneOf(error_code, kCodes);
}

bool IsAboutCredentials(std::string_view error_code) {
  constexpr std::string_view kCodes[] = {"UnrecognizedClientException", "InvalidClientTokenId",
                                         "InvalidToken", "InvalidSecurity"};
  return SaysExpired(error_code) || IsOneOf(error_code, kCodes);
}

bool IsAccessDenied(std::string_view error_code) {
  constexpr std::string_view kCodes[] = {"AccessDenied", "AccessDeniedException",
                                         "UnauthorizedOperation", "NotAuthorized", "OptInRequired"};
  return IsOneOf(error_code, kCodes);
}

bool MayBeAboutClock(std::string_view error_code) {
  constexpr std::string_view kCodes[] = {"RequestTimeTooSkewed",  "RequestExpired",
                                         "RequestInTheFuture",    "InvalidSignatureException",
                                         "SignatureDoesNotMatch", "AuthFailure"};
  return IsOneOf(error_code, kCodes);
}

Error NotOfTheService(const ServiceAnswer& answer, const std::string& doing) {
  return Error(ErrorCode::kUnavailable, doing + " failed: " + answer.host + " answered " +
                                            std::to_string(answer.status) +
                                            ", and not as that service does")
      .With("status", std::to_string(answer.status))
      .Cure(kPassOn);
}

Error ErrorOf(const ServiceAnswer& answer, const std::string& doing,
              std::span<const Meaning> meanings) {
  const std::string said = (answer.error_code.empty() ? "" : ", " + answer.error_code) +
                           (answer.error_text.empty() ? "" : ": " + answer.error_text);
  const auto error = [&](ErrorCode code, std::string cure) {
    Error made(code, doing + " failed: " + answer.host + " answered " +
                         std::to_string(answer.status) + said);
    if (!answer.request_id.empty()) {
      made = Error(std::move(made).With("request", answer.request_id));
    }
    return std::move(made).With("status", std::to_string(answer.status)).Cure(std::move(cure));
  };
  const std::string& code = answer.error_code;
  if (const auto meaning = std::ranges::find(meanings, code, &Meaning::error_code);
      meaning != meanings.end()) {
    return error(meaning->code, meaning->cure);
  }
  if (IsThrottling(answer.status, code)) {
    return error(ErrorCode::kTryAgain, "wait: AWS limits how often this account may ask");
  }
  if (IsTransient(answer.status, code) || answer.status >= 500) {
    return error(ErrorCode::kUnavailable, "wait; if it lasts, see the AWS Health Dashboard");
  }
  if (answer.status >= 300 && answer.status < 400) {
    return error(ErrorCode::kConfiguration,
                 "see that the endpoint is the service's own: redirects are not followed");
  }
  if (code.empty()) {
    return error(ErrorCode::kUnavailable, kPassOn);
  }
  if (IsAboutCredentials(code)) {
    return error(
        ErrorCode::kNotPermitted,
        "see that the credentials are right and have not ended; `qsecrets check` says where "
        "they are from");
  }
  if (IsAccessDenied(code)) {
    return error(
        ErrorCode::kNotPermitted,
        "allow " + doing + " in a policy of who asks, and see that no other policy denies it");
  }
  if (MayBeAboutClock(code)) {
    return error(ErrorCode::kNotPermitted,
                 "see that the secret key belongs to the key id, and that this machine's clock is "
                 "right");
  }
  return error(ErrorCode::kConfiguration, "see what AWS says, and the settings");
}

}  // namespace qarion::secrets::aws
