// Bodies are those that AWS documents, and that moto 5.2.5 and MiniStack 1.5.33 send.
#include "aws/service_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qarion::secrets::aws {
namespace {

using testing::HasSubstr;
using testing::Not;

net::HttpResponse ServiceResponse(int status, const std::string& body,
                                  const std::string& error_type = "") {
  net::HttpResponse response{.status = status, .body = Secret::CopyOf(body)};
  if (!error_type.empty()) {
    response.headers.push_back({"x-amzn-errortype", Secret::CopyOf(error_type)});
  }
  return response;
}

ServiceAnswer Answer(int status, const std::string& body, const std::string& error_type = "",
                     std::vector<Secret> hidden = {}) {
  return ReadAnswer(ServiceResponse(status, body, error_type), "aws.test", hidden);
}

TEST(ServiceAnswer, HasTheCodeWithoutNameSpaceAndSuffix) {
  EXPECT_EQ(Answer(400, R"({"__type":"ResourceNotFoundException","Message":"No."})").error_code,
            "ResourceNotFoundException");
  EXPECT_EQ(Answer(400, R"({"__type":"com.amazonaws.x#DecryptionFailure:http://y/"})").error_code,
            "DecryptionFailure");
  EXPECT_EQ(Answer(400, "{}", "UnrecognizedClientException:http://x").error_code,
            "UnrecognizedClientException");
  EXPECT_EQ(Answer(400, R"({"error":"invalid_grant","error_description":"Old."})").error_code,
            "invalid_grant");
  EXPECT_EQ(Answer(403,
                   "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                   "<Error><Type>Sender</Type><Code>AccessDenied</Code>"
                   "<Message>User: x is not</Message></Error></ErrorResponse>")
                .error_code,
            "AccessDenied");
  EXPECT_EQ(Answer(403,
                   "<Response><Errors><Error><Code>SignatureDoesNotMatch</Code>"
                   "<Message>m</Message></Error></Errors></Response>")
                .error_code,
            "SignatureDoesNotMatch");
}

TEST(ServiceAnswer, HasNoCodeWhereItIsNoneOfTheService) {
  for (const std::string body : {"", "nginx", "<html><h1>Forbidden</h1></html>", "{",
                                 R"({"__type":7})", R"({"__type":"a b"})", R"(["__type"])"}) {
    EXPECT_EQ(Answer(403, body).error_code, "") << body;
    EXPECT_EQ(ErrorOf(Answer(403, body), "x:Y").code(), ErrorCode::kUnavailable) << body;
  }
}

TEST(ServiceAnswer, IsFoundInTheServicesLogsByItsRequestId) {
  net::HttpResponse response = ServiceResponse(500, "");
  response.headers.push_back({"x-amzn-requestid", Secret::CopyOf("0b96166e-c2f8")});
  const Error error = ErrorOf(ReadAnswer(std::move(response), "aws.test", {}), "x:Y");
  EXPECT_THAT(error.reason(), HasSubstr("x:Y failed: aws.test answered 500"));
  EXPECT_THAT(error.context(), testing::Contains(testing::Pair("request", "0b96166e-c2f8")));
}

TEST(ServiceAnswer, HasNoErrorWhereItIsNone) {
  const auto answer = Answer(200, R"({"__type":"Odd","Message":"hello","Name":"n"})");
  EXPECT_EQ(answer.error_code, "");
  EXPECT_EQ(answer.error_text, "");
  EXPECT_EQ(answer["Name"].Text(), "n");
}

// AWS quotes the canonical request, and with it the session token.
TEST(ServiceAnswer, QuotesNothingThatWasSent) {
  std::vector<Secret> sent;
  sent.push_back(Secret::CopyOf("fake-session-token"));
  const auto answer = Answer(403,
                             R"({"__type":"InvalidSignatureException","message":"The request )"
                             R"(signature does not match.\n\nx-amz-security-token:fake-session-)"
                             R"(token\n"})",
                             "", std::move(sent));
  EXPECT_THAT(answer.error_text, HasSubstr("does not match. x-amz-security-token:***"));
  EXPECT_THAT(ErrorOf(answer, "x:Y").reason(), Not(HasSubstr("fake")));
}

TEST(ServiceError, IsOfTheKindThatTheAnswerIs) {
  const auto code = [](int status, const std::string& type) {
    return ErrorOf(Answer(status, R"({"__type":")" + type + R"("})"), "x:Y").code();
  };
  EXPECT_EQ(code(400, "ThrottlingException"), ErrorCode::kTryAgain);
  EXPECT_EQ(code(429, "Any"), ErrorCode::kTryAgain);
  EXPECT_EQ(code(500, "InternalServiceError"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(400, "RequestTimeout"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(501, "Any"), ErrorCode::kUnavailable);
  EXPECT_EQ(code(400, "AccessDeniedException"), ErrorCode::kNotPermitted);
  EXPECT_EQ(code(403, "AccessDenied"), ErrorCode::kNotPermitted);
  EXPECT_EQ(code(400, "ExpiredTokenException"), ErrorCode::kNotPermitted);
  EXPECT_EQ(code(403, "InvalidClientTokenId"), ErrorCode::kNotPermitted);
  EXPECT_EQ(code(400, "InvalidSignatureException"), ErrorCode::kNotPermitted);
  EXPECT_EQ(code(307, "Any"), ErrorCode::kConfiguration);
  EXPECT_EQ(code(400, "ValidationException"), ErrorCode::kConfiguration);
}

TEST(ServiceError, NamesActionHostCodeAndText) {
  const Error error = ErrorOf(
      Answer(400, R"({"__type":"ValidationException","message":"Invalid name."})"), "x:Action");
  EXPECT_EQ(error.reason(),
            "x:Action failed: aws.test answered 400, ValidationException: Invalid name.");
  EXPECT_NE(error.cure(), "");
}

}  // namespace
}  // namespace qarion::secrets::aws
