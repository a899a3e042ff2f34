#include "gcp/api_answer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "core/ascii.h"
#include "net/http_date.h"
#include "net/server_text.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::seconds;

constexpr std::size_t kLongestErrorText = 500;
constexpr std::size_t kLongestWord = 300;  // of codes, reasons and what belongs to them
constexpr seconds kTolerableSkew{60};
constexpr char kPassOn[] =
    "see that the endpoint is Google's own, and that what stands before it passes requests on";
constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr int kUnauthorized = 401;
constexpr int kTooManyRequests = 429;

std::optional<core::JsonDocument> JsonOf(std::string_view body) {
  const std::string_view text = core::Trimmed(body);
  if (!text.starts_with('{') && !text.starts_with('[')) return std::nullopt;
  auto parsed = core::JsonDocument::Parse(body, "the answer");
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

// The object with the error; some answers are a list of one.
core::JsonValue ErrorIn(const core::JsonDocument& json) {
  const auto elements = json.root().Elements();
  return elements.empty() ? json["error"] : elements.front()["error"];
}

// Where the document leaves it out, as that of old gateways does, the HTTP status says it (AIP-193,
// google.rpc.Code).
std::string_view CodeOf(const core::JsonDocument& json) {
  constexpr std::pair<int, std::string_view> kCodes[] = {
      {400, "INVALID_ARGUMENT"}, {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"},
      {404, "NOT_FOUND"},        {409, "ABORTED"},         {429, "RESOURCE_EXHAUSTED"}};
  const core::JsonValue error = ErrorIn(json);
  if (!error.IsObject()) return error.Text().value_or("");
  if (const auto status = error["status"].Text()) return *status;
  const auto code = error["code"].Integer();
  for (const auto& [status, word] : kCodes) {
    if (code == status) return word;
  }
  return "";
}

std::string Word(std::optional<std::string_view> text, std::span<const Secret> hidden) {
  return net::OneLine(text.value_or(""), hidden, kLongestWord);
}

void ReadError(const core::JsonDocument& json, std::span<const Secret> hidden, ApiAnswer& answer) {
  answer.error_code = Word(CodeOf(json), hidden);
  const core::JsonValue error = ErrorIn(json);
  const auto text = error.IsObject() ? error["message"].Text() : json["error_description"].Text();
  answer.error_text = net::OneLine(text.value_or(""), hidden, kLongestErrorText);
  for (const core::JsonValue& detail : error["details"].Elements()) {
    if (detail["@type"].Text() != kErrorInfo) continue;
    answer.reason = Word(detail["reason"].Text(), hidden);
    const core::JsonValue metadata = detail["metadata"];
    for (const std::string_view name : metadata.Names()) {
      answer.metadata.emplace(name, Word(metadata[name].Text(), hidden));
    }
    return;
  }
  // Of users who have to log in once more: "invalid_rapt".
  answer.reason = Word(json["error_subtype"].Text(), hidden);
}

bool IsTransientCode(std::string_view code) {
  // The last two are the API's own, and tell nothing of what was asked for.
  constexpr std::string_view kCodes[] = {"internal_failure", "server_error",
                                         "temporarily_unavailable", "ABORTED", "CANCELLED"};
  return std::ranges::find(kCodes, code) != std::end(kCodes);
}

struct Role {
  std::string_view permission;
  std::string_view role;
};
constexpr std::array<Role, 7> kRoles = {{
    {"secretmanager.versions.access", "roles/secretmanager.secretAccessor"},
    {"secretmanager.versions.get", "roles/secretmanager.viewer"},
    {"secretmanager.versions.list", "roles/secretmanager.viewer"},
    {"iam.serviceAccounts.getAccessToken", "roles/iam.serviceAccountTokenCreator"},
    {"iam.serviceAccounts.signJwt", "roles/iam.serviceAccountTokenCreator"},
    {"iam.serviceAccounts.implicitDelegation", "roles/iam.serviceAccountTokenCreator"},
    {"serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer"},
}};

class Cures {
 public:
  Cures(const ApiAnswer& answer, const std::string& asker)
      : answer_(answer), asker_(asker.empty() ? "who asks" : asker) {}

  // Empty where the reason is none that is known.
  std::string OfReason() const {
    const std::string& reason = answer_.reason;
    const std::string project = ConsumerProject();
    if (reason == "SERVICE_DISABLED") {
      const std::string service = Metadata("service", "secretmanager.googleapis.com");
      return "enable the API: gcloud services enable " + service + " --project=" + project +
             "; where that is a project of Google's own, name one to be charged: gcloud auth "
             "application-default set-quota-project PROJECT";
    }
    if (reason == "BILLING_DISABLED") {
      return "link a billing account: gcloud billing projects link " + project +
             " --billing-account=ACCOUNT";
    }
    if (reason == "CONSUMER_INVALID" || reason == "CONSUMER_DELETED" ||
        reason == "CONSUMER_SUSPENDED") {
      return "see that the project " + project + " is the one that is meant and is active";
    }
    if (reason == "USER_PROJECT_DENIED") {
      return Grant("serviceusage.services.use") +
             "; or leave out GOOGLE_CLOUD_QUOTA_PROJECT and quota_project_id";
    }
    if (reason == "IAM_PERMISSION_DENIED") {
      return Grant(Metadata("permission", "the permission that is missing"));
    }
    if (reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
      return "let the machine or the login have the scope "
             "https://www.googleapis.com/auth/cloud-platform: for an instance, gcloud compute "
             "instances set-service-account INSTANCE --scopes=cloud-platform";
    }
    if (reason == "SECURITY_POLICY_VIOLATED") {
      return "let the VPC Service Controls perimeter of the project admit this caller";
    }
    if (reason == "ACCOUNT_STATE_INVALID") return "enable the service account, or use another one";
    if (reason == "invalid_rapt") {
      return "log in once more: gcloud auth application-default login; for services use an "
             "identity that does not have to";
    }
    return "";
  }

  // Of RFC 6749, 5.2.
  std::string OfOAuthCode() const {
    const std::string& code = answer_.error_code;
    if (code == "invalid_grant") {
      return "the key, login or token of the other provider has ended or was revoked, or this "
             "machine's clock is wrong: see which, by `qsecrets check`; log in anew (gcloud auth "
             "application-default login) or make a new key";
    }
    if (code == "invalid_client" || code == "unauthorized_client") {
      return "see that client_id and client_secret in the file with credentials are right";
    }
    if (code == "invalid_target") {
      return "see that the audience in the file with credentials names a pool and a provider that "
             "exist and are enabled";
    }
    return "";
  }

 private:
  std::string Metadata(std::string_view name, const char* fallback) const {
    const auto found = answer_.metadata.find(name);
    return found == answer_.metadata.end() || found->second.empty() ? fallback : found->second;
  }
  // "projects/123" -> "123".
  std::string ConsumerProject() const {
    const std::string consumer = Metadata("consumer", "PROJECT");
    constexpr std::string_view kPrefix = "projects/";
    return consumer.starts_with(kPrefix) ? consumer.substr(kPrefix.size()) : consumer;
  }
  std::string Grant(const std::string& permission) const {
    const std::string_view role = RoleOf(permission);
    return "grant " + asker_ + " the role " +
           (role.empty() ? permission : std::string(role) + " (" + permission + ")");
  }

  const ApiAnswer& answer_;
  const std::string asker_;
};

}  // namespace

std::string_view RoleOf(std::string_view permission) {
  const auto* const found = std::ranges::find(kRoles, permission, &Role::permission);
  return found == kRoles.end() ? std::string_view() : found->role;
}

ApiAnswer ReadAnswer(net::HttpResponse response, std::string host, std::span<const Secret> hidden) {
  ApiAnswer answer{
      .status = response.status, .json = JsonOf(response.body.Reveal()), .host = std::move(host)};
  if (const auto date = response.Find("date")) answer.date = net::ParseHttpDate(*date);
  if (!answer.is_ok() && answer.json) ReadError(*answer.json, hidden, answer);
  answer.body = std::move(response.body);
  return answer;
}

bool SaysTransient(const net::HttpResponse& response) {
  const auto json = response.status < 300 ? std::nullopt : JsonOf(response.body.Reveal());
  return json && IsTransientCode(CodeOf(*json));
}

Error NotOfGoogle(const ApiAnswer& answer, const std::string& doing) {
  return Error(ErrorCode::kUnavailable, doing + " failed: " + answer.host + " answered " +
                                            std::to_string(answer.status) +
                                            ", and not as Google does")
      .With("status", std::to_string(answer.status))
      .Cure(kPassOn);
}

std::optional<seconds> SkewOf(const ApiAnswer& answer, std::chrono::system_clock::time_point now) {
  if (!answer.date) return std::nullopt;
  // In whole seconds: in the clock's units a date far away would not fit.
  const seconds skew = std::chrono::floor<seconds>(now) - *answer.date;
  return std::chrono::abs(skew) > kTolerableSkew ? std::optional(skew) : std::nullopt;
}

std::string DescribeSkew(seconds skew, const std::string& host) {
  return "this machine's clock is " + std::to_string(std::abs(skew.count())) + " s " +
         (skew > seconds::zero() ? "ahead of" : "behind") + " that of " + host;
}

Error ErrorOf(const ApiAnswer& answer, const std::string& doing, const std::string& asker,
              std::chrono::system_clock::time_point now) {
  const std::string& code = answer.error_code;
  std::string said = code.empty() ? "" : ", " + code;
  if (!answer.reason.empty()) said += " (" + answer.reason + ")";
  if (!answer.error_text.empty()) said += ": " + answer.error_text;
  const auto error = [&](ErrorCode kind, std::string cure) {
    Error made(kind, doing + " failed: " + answer.host + " answered " +
                         std::to_string(answer.status) + said);
    if (!answer.reason.empty()) made = Error(std::move(made).With("reason", answer.reason));
    return std::move(made).With("status", std::to_string(answer.status)).Cure(std::move(cure));
  };
  if (answer.status == kTooManyRequests) {
    return error(ErrorCode::kTryAgain,
                 "wait: Google limits how often a project may ask; see the quotas of the API");
  }
  if (answer.status >= 500 || IsTransientCode(code)) {
    return error(ErrorCode::kUnavailable, "wait; if it lasts, see status.cloud.google.com");
  }
  if (answer.status >= 300 && answer.status < 400) {
    return error(ErrorCode::kConfiguration,
                 "see that the endpoint is Google's own: redirects are not followed");
  }
  if (code.empty()) return error(ErrorCode::kUnavailable, kPassOn);

  const bool is_about_identity = answer.status == kUnauthorized || code == "invalid_grant";
  if (const auto skew = SkewOf(answer, now); is_about_identity && skew) {
    said += "; " + DescribeSkew(*skew, answer.host);
    return error(ErrorCode::kNotPermitted,
                 "let this machine keep time (NTP): what is signed with a wrong time is refused");
  }
  const Cures cures(answer, asker);
  std::string cure = cures.OfReason();
  if (cure.empty()) cure = cures.OfOAuthCode();
  const bool is_refused = is_about_identity || answer.status == 403 || code == "invalid_client" ||
                          code == "unauthorized_client";
  if (cure.empty()) {
    cure = is_about_identity
               ? "see that the credentials" + (asker.empty() ? "" : " of " + asker) +
                     " are right and have not ended or been deleted, nor disabled; `qsecrets "
                     "check` says where they are from"
           : is_refused ? "see what Google says, and the permissions of " +
                              (asker.empty() ? "who asks" : asker)
                        : "see what Google says, and the settings";
  }
  // What a project lacks is not refused to somebody.
  constexpr std::string_view kOfProject[] = {"SERVICE_DISABLED", "BILLING_DISABLED",
                                             "CONSUMER_INVALID", "CONSUMER_DELETED",
                                             "CONSUMER_SUSPENDED"};
  const bool is_of_project = std::ranges::find(kOfProject, answer.reason) != std::end(kOfProject);
  return error(is_refused && !is_of_project ? ErrorCode::kNotPermitted : ErrorCode::kConfiguration,
               std::move(cure));
}

}  // namespace qarion::secrets::gcp
