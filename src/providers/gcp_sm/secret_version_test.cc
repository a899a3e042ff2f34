#include "providers/gcp_sm/secret_version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "crypto/base64.h"

namespace qarion::secrets::gcp_sm {
namespace {

using testing::HasSubstr;

constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'795'000'000)};
// The CRC-32C of "123456789" by the catalogue of parametrised CRC algorithms is 0xe3069283.
constexpr char kDigits[] = "MTIzNDU2Nzg5";
constexpr char kDigitsChecksum[] = "3808858755";

SecretName Asked(std::string version = "latest", std::string location = "") {
  return {.project = "my-project",
          .location = std::move(location),
          .secret = "app-db",
          .version = std::move(version)};
}

gcp::ApiAnswer Answer(int status, const std::string& body) {
  return gcp::ReadAnswer({.status = status, .headers = {}, .body = Secret::CopyOf(body)},
                         "secretmanager.googleapis.com", {});
}

std::string Body(const std::string& payload,
                 const std::string& name = "projects/123/secrets/app-db/versions/5") {
  return R"({"name": ")" + name + R"(", "payload": )" + payload + "}";
}

std::string Problem(const std::string& body, const SecretName& asked = Asked()) {
  const auto version = VersionFrom(Answer(200, body), asked);
  if (version) return "nothing is wrong";
  EXPECT_EQ(version.error().code(), ErrorCode::kBadData);
  return version.error().reason();
}

// As REST has it: https://cloud.google.com/secret-manager/docs/reference/rest
TEST(SecretVersionTest, IsAskedForByName) {
  const std::string endpoint = EndpointOf(Asked(), "googleapis.com");
  EXPECT_EQ(endpoint, "https://secretmanager.googleapis.com");
  const auto access = AccessRequest(endpoint, Asked());
  EXPECT_EQ(access.method, "GET");
  EXPECT_EQ(access.url,
            "https://secretmanager.googleapis.com/v1/projects/my-project/secrets/app-db/versions/"
            "latest:access");
  EXPECT_EQ(access.routing, "name=projects/my-project/secrets/app-db/versions/latest");
  EXPECT_EQ(EndpointOf(Asked("1", "europe-west3"), "example.goog"),
            "https://secretmanager.europe-west3.rep.example.goog");
  EXPECT_EQ(GetRequest("https://h", Asked("7", "l")).url,
            "https://h/v1/projects/my-project/locations/l/secrets/app-db/versions/7");
  const auto list = ListEnabledRequest("https://h", Asked());
  EXPECT_EQ(list.url,
            "https://h/v1/projects/my-project/secrets/app-db/versions?filter=state%3AENABLED");
  EXPECT_EQ(list.routing, "parent=projects/my-project/secrets/app-db");
  EXPECT_TRUE(ListEnabledRequest("https://h", Asked(), "a&b=")
                  .url.ends_with("?filter=state%3AENABLED&pageToken=a%26b%3D"));
}

TEST(SecretVersionTest, IsReadInAllFormsThatGoogleAccepts) {
  for (const std::string& checksum :
       {std::string("\"") + kDigitsChecksum + "\"", std::string(kDigitsChecksum)}) {
    const auto version = VersionFrom(Answer(200, Body(std::string(R"({"data": ")") + kDigits +
                                                      R"(", "dataCrc32c": )" + checksum + "}")),
                                     Asked());
    ASSERT_TRUE(version) << version.error().reason();
    EXPECT_EQ(version->number, "5");
    EXPECT_EQ(version->data.Reveal(), "123456789");
    EXPECT_EQ(version->checksum, 0xe3069283U);
    EXPECT_TRUE(version->IsIntact());
  }
  // Without a checksum, in the other alphabet, without padding.
  const auto version =
      VersionFrom(Answer(200, Body(R"({"data": "-_8", "dataCrc32c": null})")), Asked());
  ASSERT_TRUE(version);
  EXPECT_EQ(version->data.Reveal(), "\xfb\xff");
  EXPECT_FALSE(version->checksum);
  EXPECT_TRUE(version->IsIntact());
}

TEST(SecretVersionTest, ShowsThatItIsDamaged) {
  for (const char* const data : {"MTIzNDU2Nzg4", "MTIzNDU2Nzg5MA==", ""}) {
    const auto version =
        VersionFrom(Answer(200, Body(std::string(R"({"data": ")") + data + R"(", "dataCrc32c": ")" +
                                     kDigitsChecksum + "\"}")),
                    Asked());
    ASSERT_TRUE(version);
    EXPECT_FALSE(version->IsIntact()) << data;
    const auto payload = PayloadFrom(*version, Asked());
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(payload.error().reason(), HasSubstr("arrived damaged"));
    EXPECT_THAT(payload.error().reason(), testing::Not(HasSubstr("1234")));
  }
}

TEST(SecretVersionTest, IsOfTheSecretThatWasAskedFor) {
  const std::string payload = R"({"data": ""})";
  for (const char* const name :
       {"projects/123/secrets/app-db2/versions/5", "projects/123/secrets/app-db",
        "projects/123/locations/l/secrets/app-db/versions/5",
        "projects/123/secrets/app-db/versions/latest", "projects/other/secrets/app-db/versions/5",
        "projects/123/secrets/app-db/versions/5/x", ""}) {
    EXPECT_THAT(Problem(Body(payload, name)), HasSubstr("is of another secret")) << name;
  }
  EXPECT_THAT(Problem(R"({"payload": {"data": ""}})"), HasSubstr("does not name"));
  EXPECT_THAT(Problem(Body(payload), Asked("4")), HasSubstr("is of version 5, not 4"));
  EXPECT_EQ(Problem(Body(payload), Asked("5")), "nothing is wrong");
  EXPECT_EQ(Problem(Body(payload), Asked("prod")), "nothing is wrong");
  EXPECT_EQ(
      Problem(Body(payload, "projects/9/locations/l/secrets/app-db/versions/5"), Asked("5", "l")),
      "nothing is wrong");
}

TEST(SecretVersionTest, IsOfTheProjectThatBothSettingsName) {
  const std::string payload = R"({"data": ""})";
  SecretName asked = Asked();
  asked.project_number = "123";
  EXPECT_TRUE(VersionFrom(Answer(200, Body(payload)), asked));
  asked.project_number = "124";
  const auto version = VersionFrom(Answer(200, Body(payload)), asked);
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(version.error().reason(),
            "GCP_SECRET_PROJECT and GCP_SECRET_NAME name different projects: my-project has the "
            "number 123, not 124");
}

TEST(SecretVersionTest, HasAPayloadOfAtMost64KiB) {
  const auto of_size = [](std::size_t size) {
    return Body(R"({"data": ")" +
                std::string(crypto::EncodeBase64(std::string(size, 'x')).Reveal()) + "\"}");
  };
  EXPECT_EQ(Problem(of_size(65'536)), "nothing is wrong");
  EXPECT_THAT(Problem(of_size(65'537)), HasSubstr("more than 64 KiB"));
  EXPECT_EQ(Problem(Body(R"({"data": "MTI"})")), "nothing is wrong");  // not padded
  for (const char* const payload : {"null", "{}", "[]", R"({"data": 1})", R"({"data": null})"}) {
    EXPECT_THAT(Problem(Body(payload)), HasSubstr("has no payload")) << payload;
  }
  for (const char* const data : {"!!!", "MTIz=", "M", "MT Iz", "MTIz\\n"}) {
    EXPECT_THAT(Problem(Body(std::string(R"({"data": ")") + data + "\"}")),
                HasSubstr("is not base64"))
        << data;
  }
  for (const char* const checksum : {"\"x\"", "\"\"", "-1", "4294967296", "\"1 \"", "true", "{}"}) {
    EXPECT_THAT(Problem(Body(std::string(R"({"data": "", "dataCrc32c": )") + checksum + "}")),
                HasSubstr("no checksum"))
        << checksum;
  }
}

TEST(SecretVersionTest, IsNoPageInItsPlace) {
  for (const char* const body : {"", "<html></html>", "[]", "{"}) {
    const auto version = VersionFrom(Answer(200, body), Asked());
    ASSERT_FALSE(version) << body;
    EXPECT_EQ(version.error().code(), ErrorCode::kUnavailable);
  }
}

TEST(SecretVersionTest, HoldsFields) {
  const auto payload = PayloadFrom(
      {.number = "5", .data = Secret::CopyOf(R"({"SECRET_KEY": "fake"})"), .checksum = {}},
      Asked());
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->version, "5");
  ASSERT_EQ(payload->fields.size(), 1U);
  const auto text = PayloadFrom(
      {.number = "5", .data = Secret::CopyOf("fake-plain-text"), .checksum = {}}, Asked());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(text.error().reason(), HasSubstr("projects/my-project/secrets/app-db version 5"));
  EXPECT_THAT(text.error().reason(), testing::Not(HasSubstr("fake")));
}

TEST(SecretVersionTest, IsFirstInAList) {
  EXPECT_EQ(FirstVersionIn(Answer(200, R"({"versions": [{"name": "projects/1/secrets/s/versions/4"},
                                           {"name": "projects/1/secrets/s/versions/2"}]})")),
            "4");
  EXPECT_EQ(FirstVersionIn(Answer(200, R"({"totalSize": 0})")), std::nullopt);
  EXPECT_EQ(FirstVersionIn(Answer(200, R"({"versions": [{"name": "x/latest"}]})")), std::nullopt);
}

// Texts and reasons as Google documents them (AIP-193, google.api.ErrorReason).
struct Refusal {
  int status;
  const char* code;
  const char* reason;  // or empty
  const char* text;
  ErrorCode meaning;
  std::vector<std::string> words;  // in reason and cure
};

std::string Document(const Refusal& refusal) {
  std::string details;
  if (*refusal.reason != '\0') {
    details = std::string(R"(, "details": [{"@type": "type.googleapis.com/google.rpc.Help"},
      {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": ")") +
              refusal.reason +
              R"(", "domain": "googleapis.com", "metadata": {"service":
      "secretmanager.googleapis.com", "consumer": "projects/456",
      "permission": "secretmanager.versions.access"}}])";
  }
  return R"({"error": {"code": )" + std::to_string(refusal.status) + R"(, "message": ")" +
         refusal.text + R"(", "status": ")" + refusal.code + "\"" + details + "}}";
}

TEST(SecretVersionTest, IsRefusedWithACure) {
  const Refusal refusals[] = {
      {400,
       "FAILED_PRECONDITION",
       "",
       "Secret Version [projects/123/secrets/app-db/versions/9] is in DISABLED state.",
       ErrorCode::kConfiguration,
       {"version 9, which latest stands for, is disabled",
        "gcloud secrets versions enable 9 --secret=app-db --project=my-project",
        "GCP_SECRET_VERSION_FALLBACK=previous"}},
      {400,
       "FAILED_PRECONDITION",
       "",
       "Secret Version [projects/123/secrets/app-db/versions/9] is in DESTROYED state.",
       ErrorCode::kConfiguration,
       {"is destroyed", "gcloud secrets versions add app-db --project=my-project"}},
      {404,
       "NOT_FOUND",
       "",
       "Secret [projects/123/secrets/app-db] not found or has no versions.",
       ErrorCode::kConfiguration,
       {"does not exist, or has no version yet",
        "gcloud secrets create app-db --project=my-project"}},
      {403,
       "PERMISSION_DENIED",
       "IAM_PERMISSION_DENIED",
       "Permission 'secretmanager.versions.access' denied for resource 'x' (or it may not exist).",
       ErrorCode::kNotPermitted,
       {"for want of secretmanager.versions.access", "(or it may not exist)",
        "gcloud secrets add-iam-policy-binding app-db --project=my-project "
        "--member=serviceAccount:a@b --role=roles/secretmanager.secretAccessor"}},
      {403,
       "PERMISSION_DENIED",
       "SERVICE_DISABLED",
       "Secret Manager API has not been used in project 456 before or it is disabled.",
       ErrorCode::kConfiguration,
       {"SERVICE_DISABLED", "gcloud services enable secretmanager.googleapis.com --project=456"}},
      {403,
       "PERMISSION_DENIED",
       "BILLING_DISABLED",
       "This API method requires billing.",
       ErrorCode::kConfiguration,
       {"BILLING_DISABLED", "gcloud billing projects link 456"}},
      {403,
       "PERMISSION_DENIED",
       "USER_PROJECT_DENIED",
       "Caller does not have permission.",
       ErrorCode::kNotPermitted,
       {"serviceAccount:a@b", "roles/serviceusage.serviceUsageConsumer",
        "GOOGLE_CLOUD_QUOTA_PROJECT"}},
      {403,
       "PERMISSION_DENIED",
       "CONSUMER_INVALID",
       "Project 'projects/456' not found.",
       ErrorCode::kConfiguration,
       {"the project 456 is the one that is meant"}},
      {403,
       "PERMISSION_DENIED",
       "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
       "Request had insufficient authentication scopes.",
       ErrorCode::kNotPermitted,
       {"--scopes=cloud-platform"}},
      {403,
       "PERMISSION_DENIED",
       "SECURITY_POLICY_VIOLATED",
       "Request is prohibited.",
       ErrorCode::kNotPermitted,
       {"VPC Service Controls"}},
      {401,
       "UNAUTHENTICATED",
       "ACCESS_TOKEN_EXPIRED",
       "Request had invalid credentials.",
       ErrorCode::kNotPermitted,
       {"ACCESS_TOKEN_EXPIRED", "qsecrets check"}},
      {429,
       "RESOURCE_EXHAUSTED",
       "RATE_LIMIT_EXCEEDED",
       "Quota exceeded.",
       ErrorCode::kTryAgain,
       {"429", "quotas"}},
      {503,
       "UNAVAILABLE",
       "",
       "The service is currently unavailable.",
       ErrorCode::kUnavailable,
       {"503"}},
      {500, "INTERNAL", "", "Internal error.", ErrorCode::kUnavailable, {"500"}},
      {504, "DEADLINE_EXCEEDED", "", "Too late.", ErrorCode::kUnavailable, {"504"}},
      {409, "ABORTED", "", "Aborted.", ErrorCode::kUnavailable, {"409"}},
      {400,
       "INVALID_ARGUMENT",
       "",
       "Request contains an invalid argument.",
       ErrorCode::kConfiguration,
       {"INVALID_ARGUMENT"}}};
  for (const Refusal& refusal : refusals) {
    const Error error =
        Refused(Answer(refusal.status, Document(refusal)), Asked(), "serviceAccount:a@b", kNow);
    EXPECT_EQ(error.code(), refusal.meaning) << refusal.text;
    for (const std::string& word : refusal.words) {
      EXPECT_THAT(error.reason() + "\n" + error.cure(), HasSubstr(word)) << refusal.text;
    }
    EXPECT_NE(error.cure(), "");
    const bool is_tried_again = refusal.status == 503 || refusal.status == 429;
    EXPECT_EQ(error.IsWorthRepeating(), is_tried_again) << refusal.text;
  }
}

// Which may be that of a proxy.
TEST(SecretVersionTest, IsWorthAnotherTryAfterAPage) {
  const Error error = Refused(Answer(500, "<html>fake</html>"), Asked(), "", kNow);
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(error.IsWorthRepeating());
}

TEST(SecretVersionTest, IsRefusedForAnotherPermissionThanSecretManagers) {
  const Error error =
      Refused(Answer(403, R"({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason":
        "IAM_PERMISSION_DENIED", "metadata": {"permission": "serviceusage.services.use"}}]}})"),
              Asked(), "serviceAccount:a@b", kNow);
  EXPECT_EQ(error.cure(),
            "grant serviceAccount:a@b the role roles/serviceusage.serviceUsageConsumer "
            "(serviceusage.services.use)");
}

TEST(SecretVersionTest, IsRefusedForThePermissionOfTheCall) {
  const Error error = Refused(
      Answer(403, R"({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}})"),
      Asked(), "", kNow, "secretmanager.versions.list");
  EXPECT_THAT(error.reason(), HasSubstr("for want of secretmanager.versions.list"));
  EXPECT_THAT(error.cure(),
              testing::EndsWith("--member=PRINCIPAL --role=roles/secretmanager.viewer"));
}

TEST(SecretVersionTest, IsMissingByItsOwnNumber) {
  const Error error =
      Refused(Answer(404, R"({"error": {"code": 404, "status": "NOT_FOUND", "message":
        "Secret Version [projects/123/secrets/app-db/versions/7] not found."}})"),
              Asked("7", "l"), "", kNow);
  EXPECT_THAT(error.reason(), HasSubstr("has no version 7"));
  EXPECT_THAT(error.cure(), HasSubstr("gcloud secrets versions list app-db --project=my-project "
                                      "--location=l"));
}

TEST(SecretVersionTest, IsTriedAgainAsGoogleHasConfiguredIt) {
  const auto policy = AccessPolicy();
  EXPECT_EQ(policy.most_attempts, 5);
  EXPECT_EQ(policy.backoff.first, std::chrono::seconds(2));
  EXPECT_EQ(policy.backoff.longest, std::chrono::seconds(60));
  for (const int status : {429, 503}) {
    EXPECT_TRUE(policy.is_worth_another_try({.status = status, .headers = {}, .body = {}}));
  }
  for (const int status : {400, 401, 403, 404, 408, 500, 502, 504}) {
    EXPECT_FALSE(policy.is_worth_another_try({.status = status, .headers = {}, .body = {}}));
  }
}

}  // namespace
}  // namespace qarion::secrets::gcp_sm
