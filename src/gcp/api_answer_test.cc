#include "gcp/api_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::gcp {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 5.6.7).
constexpr char kDate[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::chrono::system_clock::time_point kAnsweredAt{seconds(784111777)};

net::HttpResponse Response(int status, const std::string& body, const std::string& date = kDate) {
  net::HttpResponse response{.status = status, .headers = {}, .body = Secret::CopyOf(body)};
  if (!date.empty()) response.headers.push_back({"date", Secret::CopyOf(date)});
  return response;
}

ApiAnswer Answer(int status, const std::string& body, const std::vector<Secret>& hidden = {}) {
  return ReadAnswer(Response(status, body), "h.googleapis.com", hidden);
}

// The form of AIP-193.
constexpr char kErrorDocument[] = R"({"error": {"code": 403, "message": "No\nway", "status":
  "PERMISSION_DENIED", "details": [{"@type": "type.googleapis.com/google.rpc.Help"},
  {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
   "domain": "googleapis.com", "metadata": {"service": "s.googleapis.com",
   "consumer": "projects/1"}}]}})";

TEST(ApiAnswerTest, TellsWhatGoogleSays) {
  for (const std::string& body :
       {std::string(kErrorDocument), "[" + std::string(kErrorDocument) + "]"}) {
    const ApiAnswer answer = Answer(403, body);
    EXPECT_EQ(answer.error_code, "PERMISSION_DENIED");
    EXPECT_EQ(answer.error_text, "No way");
    EXPECT_EQ(answer.reason, "SERVICE_DISABLED");
    EXPECT_EQ(answer.metadata.at("consumer"), "projects/1");
    const Error error = ErrorOf(answer, "asking", "", kAnsweredAt);
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_EQ(error.reason(),
              "asking failed: h.googleapis.com answered 403, PERMISSION_DENIED "
              "(SERVICE_DISABLED): No way");
    EXPECT_THAT(error.cure(), HasSubstr("gcloud services enable s.googleapis.com --project=1"));
  }
}

TEST(ApiAnswerTest, TellsWhatATokenEndpointSays) {  // RFC 6749, 5.2
  const std::pair<const char*, ErrorCode> codes[] = {
      {"invalid_grant", ErrorCode::kNotPermitted},
      {"invalid_client", ErrorCode::kNotPermitted},
      {"unauthorized_client", ErrorCode::kNotPermitted},
      {"invalid_target", ErrorCode::kConfiguration},
      {"invalid_request", ErrorCode::kConfiguration},
      {"server_error", ErrorCode::kUnavailable},
      {"temporarily_unavailable", ErrorCode::kUnavailable},
      {"internal_failure", ErrorCode::kUnavailable}};
  for (const auto& [code, meaning] : codes) {
    const Error error = ErrorOf(
        Answer(400, std::string(R"({"error": ")") + code + R"(", "error_description": "why"})"),
        "asking", "", kAnsweredAt);
    EXPECT_EQ(error.code(), meaning) << code;
    EXPECT_THAT(error.reason(), HasSubstr(std::string(code) + ": why"));
    EXPECT_NE(error.cure(), "");
  }
}

TEST(ApiAnswerTest, SaysThatSomebodyHasToLogInOnceMore) {
  const Error error = ErrorOf(Answer(400, R"({"error": "invalid_grant", "error_subtype":
    "invalid_rapt", "error_description": "reauth related error"})"),
                              "asking", "", kAnsweredAt);
  EXPECT_THAT(error.cure(), HasSubstr("gcloud auth application-default login"));
  EXPECT_THAT(error.reason(), HasSubstr("invalid_rapt"));
}

TEST(ApiAnswerTest, MayBeNoneOfGoogles) {
  for (const int status : {400, 401, 403, 404}) {
    for (const char* const body : {"", "<html>fake</html>", "[]", "{}", "1", R"({"error": 1})"}) {
      const Error error = ErrorOf(Answer(status, body), "asking", "", kAnsweredAt);
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << status << body;
      EXPECT_THAT(error.reason(), testing::EndsWith("answered " + std::to_string(status)));
    }
  }
  EXPECT_EQ(ErrorOf(Answer(302, ""), "asking", "", kAnsweredAt).code(), ErrorCode::kConfiguration);
  EXPECT_EQ(ErrorOf(Answer(502, ""), "asking", "", kAnsweredAt).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(ErrorOf(Answer(429, ""), "asking", "", kAnsweredAt).code(), ErrorCode::kTryAgain);
}

// google.rpc.Code: neither says anything of what was asked for.
TEST(ApiAnswerTest, MayPass) {
  for (const auto& [status, code] : {std::pair(409, "ABORTED"), std::pair(499, "CANCELLED")}) {
    const Error error = ErrorOf(Answer(status, R"({"error": {"code": )" + std::to_string(status) +
                                                   R"(, "status": ")" + code + "\"}}"),
                                "asking", "", kAnsweredAt);
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << code;
  }
}

TEST(ApiAnswerTest, MayLeaveItToTheStatus) {
  const std::pair<int, ErrorCode> codes[] = {{400, ErrorCode::kConfiguration},
                                             {401, ErrorCode::kNotPermitted},
                                             {403, ErrorCode::kNotPermitted},
                                             {404, ErrorCode::kConfiguration}};
  for (const auto& [status, meaning] : codes) {
    const Error error = ErrorOf(Answer(status, R"({"error": {"code": )" + std::to_string(status) +
                                                   R"(, "message": "no"}})"),
                                "asking", "", kAnsweredAt);
    EXPECT_EQ(error.code(), meaning) << status;
  }
}

TEST(ApiAnswerTest, ShowsNothingThatWasSent) {
  std::vector<Secret> hidden;
  hidden.push_back(Secret::CopyOf("fake-ya29.token-of-somebody"));
  const ApiAnswer answer = Answer(
      401, R"({"error": {"code": 401, "status": "UNAUTHENTICATED fake-ya29.token-of-somebody",
      "message": "bad fake-ya29.token-of-somebody", "details": [{"@type":
      "type.googleapis.com/google.rpc.ErrorInfo", "reason": "fake-ya29.token-of-somebody",
      "metadata": {"consumer": "projects/fake-ya29.token-of-somebody"}}]}})",
      hidden);
  const Error error = ErrorOf(answer, "asking", "", kAnsweredAt);
  EXPECT_THAT(error.reason() + error.cure(), testing::Not(HasSubstr("token-of")));
  EXPECT_THAT(error.reason(), HasSubstr("***"));
}

// Google says "invalid_grant: Invalid JWT" and nothing of clocks.
TEST(ApiAnswerTest, SaysWhoseClockIsWrong) {
  constexpr char kRefusal[] = R"({"error": "invalid_grant", "error_description": "Invalid JWT"})";
  const Error behind = ErrorOf(Answer(400, kRefusal), "asking", "", kAnsweredAt - seconds(3600));
  EXPECT_THAT(behind.reason(),
              HasSubstr("this machine's clock is 3600 s behind that of h.googleapis.com"));
  EXPECT_THAT(behind.cure(), HasSubstr("NTP"));
  const Error ahead = ErrorOf(Answer(400, kRefusal), "asking", "", kAnsweredAt + seconds(61));
  EXPECT_THAT(ahead.reason(), HasSubstr("61 s ahead of"));
  EXPECT_THAT(ErrorOf(Answer(400, kRefusal), "asking", "", kAnsweredAt + seconds(60)).reason(),
              testing::Not(HasSubstr("clock is")));
  EXPECT_EQ(SkewOf(ReadAnswer(Response(200, "{}", ""), "h", {}), kAnsweredAt), std::nullopt);
  EXPECT_EQ(SkewOf(ReadAnswer(Response(200, "{}", "yesterday"), "h", {}), kAnsweredAt),
            std::nullopt);
  // A date far away does not end in undefined arithmetic.
  EXPECT_TRUE(SkewOf(ReadAnswer(Response(200, "{}", "Fri, 31 Dec 9999 23:59:59 GMT"), "h", {}),
                     kAnsweredAt));
}

TEST(ApiAnswerTest, NamesTheRoleOfAPermission) {
  const auto cure = [](const std::string& permission) {
    return ErrorOf(Answer(403, R"({"error": {"code": 403, "status": "PERMISSION_DENIED", "message":
      "no", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason":
      "IAM_PERMISSION_DENIED", "metadata": {"permission": ")" +
                                   permission + "\"}}]}}"),
                   "acting", "serviceAccount:a@b", kAnsweredAt)
        .cure();
  };
  EXPECT_EQ(cure("iam.serviceAccounts.getAccessToken"),
            "grant serviceAccount:a@b the role roles/iam.serviceAccountTokenCreator "
            "(iam.serviceAccounts.getAccessToken)");
  EXPECT_THAT(cure("some.other"), HasSubstr("some.other"));
}

}  // namespace
}  // namespace qarion::secrets::gcp
