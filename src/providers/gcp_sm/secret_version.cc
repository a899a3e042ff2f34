#include "providers/gcp_sm/secret_version.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "core/ascii.h"
#include "core/json_fields.h"
#include "core/percent_encoding.h"
#include "crypto/base64.h"
#include "crypto/crc32c.h"
#include "gcp/principal.h"

namespace qarion::secrets::gcp_sm {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostBytes = 65'536;  // of a payload
constexpr char kAnother[] = "see that the endpoint is that of Secret Manager";

std::string VersionResource(const SecretName& name) {
  return name.Resource() + "/versions/" + name.version;
}

bool Says(const gcp::ApiAnswer& answer, std::string_view text) {
  return answer.error_text.find(text) != std::string::npos;
}

Error Missing(const SecretName& asked, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, asked.Resource() + " " + problem)
      .With("secret", asked.Resource())
      .Cure(std::move(cure));
}

Error BadAnswer(const gcp::ApiAnswer& answer, const std::string& problem) {
  return Error(ErrorCode::kBadData, "the answer of " + answer.host + " " + problem).Cure(kAnother);
}

// Whether the project in "projects/1/secrets/s/versions/5" has another number than settings say.
std::optional<Error> OtherProject(std::string_view name, const SecretName& asked) {
  const auto parsed = ParseSecretName(name, "name");
  if (asked.project_number.empty() || !parsed || !IsNumber(parsed->project) ||
      parsed->project == asked.project_number) {
    return std::nullopt;
  }
  return Error(ErrorCode::kConfiguration,
               "GCP_SECRET_PROJECT and GCP_SECRET_NAME name different "
               "projects: " +
                   asked.project + " has the number " + parsed->project + ", not " +
                   asked.project_number)
      .With("setting", "GCP_SECRET_PROJECT")
      .Cure("leave out GCP_SECRET_PROJECT, or let both name the same project");
}

// The number at the end of "projects/1/secrets/s/versions/5", where the rest is that of `asked`.
std::optional<std::string> NumberIn(std::string_view name, const SecretName& asked) {
  auto parsed = ParseSecretName(name, "name");
  if (!parsed || !IsNumber(parsed->version)) return std::nullopt;
  const bool is_same_project =
      IsNumber(parsed->project) != IsNumber(asked.project) || parsed->project == asked.project;
  const bool is_asked =
      parsed->secret == asked.secret && parsed->location == asked.location && is_same_project;
  return is_asked ? std::optional(std::move(parsed->version)) : std::nullopt;
}

// The number of the version that an error names in brackets.
std::string NumberInError(const gcp::ApiAnswer& answer) {
  constexpr std::string_view kBefore = "/versions/";
  std::string_view text = answer.error_text;
  const std::size_t begin = text.rfind(kBefore);
  if (begin == std::string_view::npos) return "";
  text.remove_prefix(begin + kBefore.size());
  const std::string_view number = text.substr(0, text.find_first_not_of("0123456789"));
  return IsNumber(number) ? std::string(number) : "";
}

// In JSON an int64 is a text; a number is accepted too, as all of Google's libraries do.
Result<std::optional<std::uint32_t>> ChecksumIn(const gcp::ApiAnswer& answer) {
  const core::JsonValue payload = answer["payload"];
  core::JsonValue value = payload["dataCrc32c"];
  if (!value.exists()) value = payload["data_crc32c"];
  if (!value.exists() || value.IsNull()) return std::optional<std::uint32_t>();
  std::int64_t number = -1;
  if (const auto text = value.Text()) {
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
    if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) number = -1;
  } else {
    number = value.Integer().value_or(-1);
  }
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) {
    return BadAnswer(answer, "has a dataCrc32c that is no checksum");
  }
  return std::optional(static_cast<std::uint32_t>(number));
}

// UNAVAILABLE and RESOURCE_EXHAUSTED.
bool IsTriedAgain(int status) { return status == 503 || status == 429; }

Error OutOfUse(const gcp::ApiAnswer& answer, const SecretName& asked) {
  const std::string number = NumberInError(answer);
  const bool is_destroyed = Says(answer, "DESTROYED");
  const std::string which = number.empty() || number == asked.version
                                ? "version " + asked.version
                                : "version " + number + ", which " + asked.version + " stands for,";
  std::string problem = "cannot be read: " + which + " is ";
  problem += is_destroyed ? "destroyed" : Says(answer, "DISABLED") ? "disabled" : "not in use";
  const std::string shown = number.empty() ? "NUMBER" : number;
  std::string cure = is_destroyed ? "add a version: gcloud secrets versions add " + asked.secret +
                                        asked.Flags() + " --data-file=secret.json"
                                  : "enable it: gcloud secrets versions enable " + shown +
                                        " --secret=" + asked.secret + asked.Flags();
  cure += "; or let GCP_SECRET_VERSION name another";
  if (asked.version == kLatest) {
    cure +=
        "; or set GCP_SECRET_VERSION_FALLBACK=previous, which takes the newest one that is "
        "enabled";
  }
  return Missing(asked, problem, std::move(cure));
}

Error NotFound(const gcp::ApiAnswer& answer, const SecretName& asked) {
  if (asked.version != kLatest && Says(answer, "ersion [")) {
    return Missing(
        asked, "has no version " + asked.version,
        "correct GCP_SECRET_VERSION; see which there are: gcloud secrets versions list " +
            asked.secret + asked.Flags());
  }
  const std::string which = asked.secret + asked.Flags() + " --data-file=secret.json";
  return Missing(
      asked, "does not exist, or has no version yet (" + answer.host + ")",
      "correct GCP_SECRET_NAME, GCP_SECRET_PROJECT or GCP_SECRET_LOCATION; or create it: gcloud "
      "secrets create " +
          which + "; or give it a version: gcloud secrets versions add " + which);
}

Error Denied(const gcp::ApiAnswer& answer, const SecretName& asked, const std::string& asker,
             const std::string& permission) {
  return Error(ErrorCode::kNotPermitted, "reading " + asked.Resource() +
                                             " was refused, for want of " + permission + ": " +
                                             answer.error_text)
      .With("permission", permission)
      .With("reason", answer.reason)
      .Cure(
          "see that project, name and location are right; then: gcloud secrets "
          "add-iam-policy-binding " +
          asked.secret + asked.Flags() + gcp::MemberFlag(asker) +
          " --role=" + std::string(gcp::RoleOf(permission)));
}

gcp::ApiRequest RequestFor(const std::string& endpoint, const std::string& path,
                           const std::string& routing) {
  return {.url = endpoint + "/v1/" + path, .routing = routing};
}

}  // namespace

gcp::ApiRequest AccessRequest(const std::string& endpoint, const SecretName& name) {
  return RequestFor(endpoint, VersionResource(name) + ":access", "name=" + VersionResource(name));
}

gcp::ApiRequest GetRequest(const std::string& endpoint, const SecretName& name) {
  return RequestFor(endpoint, VersionResource(name), "name=" + VersionResource(name));
}

gcp::ApiRequest ListEnabledRequest(const std::string& endpoint, const SecretName& name,
                                   std::string_view page) {
  std::string query = "?filter=state%3AENABLED";
  if (!page.empty()) query += "&pageToken=" + core::PercentEncoded(page);
  return RequestFor(endpoint, name.Resource() + "/versions" + query, "parent=" + name.Resource());
}

std::string EndpointOf(const SecretName& name, const std::string& universe) {
  return "https://secretmanager." + (name.location.empty() ? "" : name.location + ".rep.") +
         universe;
}

net::RetryPolicy AccessPolicy() {
  net::RetryPolicy policy{.most_attempts = 5,
                          .backoff = {.first = seconds(2), .longest = seconds(60)}};
  policy.is_worth_another_try = [](const net::HttpResponse& response) {
    return IsTriedAgain(response.status);
  };
  return policy;
}

net::RetryPolicy OncePolicy() { return {.most_attempts = 1}; }

bool SecretVersion::IsIntact() const {
  return !checksum || *checksum == crypto::Crc32c(data.Reveal());
}

Result<SecretVersion> VersionFrom(const gcp::ApiAnswer& answer, const SecretName& asked) {
  if (!answer.json || !answer.json->root().IsObject()) {
    return NotOfGoogle(answer, "reading " + asked.Resource());
  }
  const auto name = answer["name"].Text();
  if (!name) return BadAnswer(answer, "does not name the version that it is of");
  if (auto other = OtherProject(*name, asked)) return *std::move(other);
  auto number = NumberIn(*name, asked);
  if (!number) return BadAnswer(answer, "is of another secret than " + asked.Resource());
  if (IsNumber(asked.version) && *number != asked.version) {
    return BadAnswer(answer, "is of version " + *number + ", not " + asked.version);
  }
  const auto text = answer["payload"]["data"].Text();
  if (!text) return BadAnswer(answer, "has no payload");
  auto data = crypto::DecodeProtobufBase64(*text);
  if (!data) return BadAnswer(answer, "has a payload that is not base64");
  if (data->size() > kMostBytes) {
    return BadAnswer(answer,
                     "has a payload of more than 64 KiB, which Secret Manager does not keep");
  }
  auto checksum = ChecksumIn(answer);
  if (!checksum) return std::move(checksum).error();
  return SecretVersion{
      .number = std::move(*number), .data = std::move(*data), .checksum = *checksum};
}

Result<Payload> PayloadFrom(const SecretVersion& version, const SecretName& asked) {
  const std::string origin = asked.Resource() + " version " + version.number;
  if (!version.IsIntact()) {
    return Error(
               ErrorCode::kBadData,
               origin + " arrived damaged, twice: its CRC-32C is not the one that was sent with it")
        .With("secret", asked.Resource())
        .Cure(
            "see what stands between this machine and Secret Manager; if the checksum itself is "
            "wrong, add the version anew");
  }
  auto fields = core::FieldsFromJson(version.data.Reveal(), origin);
  if (!fields) return std::move(fields).error();
  return Payload{.version = version.number, .fields = std::move(*fields)};
}

std::optional<std::string> FirstVersionIn(const gcp::ApiAnswer& answer) {
  const auto versions = answer["versions"].Elements();
  if (versions.empty()) return std::nullopt;
  const std::string_view name = versions.front()["name"].Text().value_or("");
  const std::string_view number = name.substr(name.rfind('/') + 1);
  return IsNumber(number) ? std::optional(std::string(number)) : std::nullopt;
}

bool IsOutOfUse(const gcp::ApiAnswer& answer) {
  return answer.error_code == "FAILED_PRECONDITION" &&
         (Says(answer, "DISABLED") || Says(answer, "DESTROYED"));
}

Error Refused(const gcp::ApiAnswer& answer, const SecretName& asked, const std::string& asker,
              std::chrono::system_clock::time_point now, std::string_view permission) {
  if (IsOutOfUse(answer)) return OutOfUse(answer, asked);
  if (answer.error_code == "NOT_FOUND") return NotFound(answer, asked);
  const auto named = answer.metadata.find("permission");
  const std::string missing =
      named == answer.metadata.end() ? std::string(permission) : named->second;
  const bool is_about_permission =
      answer.reason == "IAM_PERMISSION_DENIED" ||
      (answer.reason.empty() && answer.error_code == "PERMISSION_DENIED");
  // Another one than Secret Manager's is not granted on the secret.
  if (is_about_permission && missing.starts_with("secretmanager.")) {
    return Denied(answer, asked, asker, missing);
  }
  Error error = ErrorOf(answer, "reading " + asked.Resource(), asker, now);
  // A page of what stands before Google's servers has no code, and says nothing of them.
  const bool is_repeatable = IsTriedAgain(answer.status) || answer.error_code.empty();
  return is_repeatable ? error : std::move(error).NotToBeRepeated();
}

}  // namespace qarion::secrets::gcp_sm
