// The figures are those of botocore 1.44.5: retries/standard.py and data/_retry.json.
#include "aws/retry_policy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/random.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class Chance final : public core::Random {
 public:
  explicit Chance(double always) : always_(always) {}
  double Uniform() override { return always_; }

 private:
  double always_;
};

net::HttpResponse FailedResponse(int status, const std::string& code = "",
                                 const std::string& retry_after = "") {
  net::HttpResponse response{.status = status};
  if (!code.empty()) response.body = Secret::CopyOf(R"({"__type":")" + code + R"("})");
  if (!retry_after.empty()) {
    response.headers.push_back({"x-amz-retry-after", Secret::CopyOf(retry_after)});
  }
  return response;
}

class RetryPolicyTest : public testing::Test {
 protected:
  milliseconds Pause(net::HttpResponse response, int attempt, double chance = 1.0) {
    Chance random(chance);
    return std::chrono::duration_cast<milliseconds>(
        policy_.pause({.result = std::move(response)}, attempt, random));
  }
  bool IsRetried(int status, const std::string& code = "") {
    return policy_.is_worth_another_try(FailedResponse(status, code));
  }

  net::RetryPolicy policy_ = MakeRetryPolicy(RetryMode::kStandard, 3, {});
};

TEST_F(RetryPolicyTest, DoublesFiftyMillisecondsAfterFailures) {
  EXPECT_EQ(Pause(FailedResponse(500), 1), milliseconds(50));
  EXPECT_EQ(Pause(FailedResponse(503), 2), milliseconds(100));
  EXPECT_EQ(Pause(FailedResponse(503), 2, 0.5), milliseconds(50));
  EXPECT_EQ(Pause(FailedResponse(503), 2, 0), milliseconds(0));
  EXPECT_EQ(Pause(FailedResponse(500), 20), milliseconds(20'000));
}

TEST_F(RetryPolicyTest, DoublesASecondAfterThrottling) {
  EXPECT_EQ(Pause(FailedResponse(400, "ThrottlingException"), 1), milliseconds(1000));
  EXPECT_EQ(Pause(FailedResponse(429), 3), milliseconds(4000));
  EXPECT_EQ(Pause(FailedResponse(400, "SlowDown"), 30), milliseconds(20'000));
}

TEST_F(RetryPolicyTest, PausesAsLongAsTheServiceAsksWithinFiveSeconds) {
  EXPECT_EQ(Pause(FailedResponse(503, "", "1500"), 1), milliseconds(1500));
  EXPECT_EQ(Pause(FailedResponse(503, "", "10"), 1), milliseconds(50));
  EXPECT_EQ(Pause(FailedResponse(503, "", "60000"), 1), milliseconds(5050));
  for (const std::string asked : {"-1", "1.5", "soon", "99999999999999999999"}) {
    EXPECT_EQ(Pause(FailedResponse(503, "", asked), 1), milliseconds(50)) << asked;
  }
}

TEST_F(RetryPolicyTest, CostsLessAfterThrottling) {
  EXPECT_EQ(policy_.cost({.result = FailedResponse(400, "Throttling")}), 5);
  EXPECT_EQ(policy_.cost({.result = FailedResponse(500)}), 14);
  EXPECT_EQ(policy_.cost({.result = Error(ErrorCode::kUnavailable, "x"), .timed_out = true}), 14);
}

TEST_F(RetryPolicyTest, TriesAgainWhatMayPass) {
  for (const int status : {429, 500, 502, 503, 504}) EXPECT_TRUE(IsRetried(status)) << status;
  for (const std::string code :
       {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded",
        "LimitExceededException", "PriorRequestNotComplete", "RequestTimeout",
        "com.amazonaws.secretsmanager#ThrottlingException:http://x"}) {
    EXPECT_TRUE(IsRetried(400, code)) << code;
  }
}

TEST_F(RetryPolicyTest, GivesUpOnWhatWillNot) {
  for (const int status : {200, 301, 307, 400, 403, 404, 501, 509}) {
    EXPECT_FALSE(IsRetried(status)) << status;
  }
  for (const std::string code :
       {"ExpiredTokenException", "RequestTimeTooSkewed", "InvalidSignatureException",
        "ResourceNotFoundException", "AccessDeniedException", "IDPCommunicationError"}) {
    EXPECT_FALSE(IsRetried(400, code)) << code;
  }
}

TEST_F(RetryPolicyTest, TriesAgainWhatTheOperationAsksFor) {
  constexpr std::string_view kMore[] = {"IDPCommunicationError"};
  policy_ = MakeRetryPolicy(RetryMode::kStandard, 3, kMore);
  EXPECT_TRUE(IsRetried(400, "IDPCommunicationError"));
  EXPECT_FALSE(IsRetried(400, "InvalidIdentityToken"));
}

TEST_F(RetryPolicyTest, HasAnOlderMode) {
  policy_ = MakeRetryPolicy(RetryMode::kLegacy, 5, {});
  EXPECT_EQ(policy_.most_attempts, 5);
  EXPECT_EQ(Pause(FailedResponse(500), 1), milliseconds(1000));
  EXPECT_EQ(Pause(FailedResponse(500, "", "1500"), 4), milliseconds(8000));
  EXPECT_EQ(Pause(FailedResponse(429), 1, 0.25), milliseconds(250));
  EXPECT_EQ(policy_.cost({.result = FailedResponse(500)}), 0);
  EXPECT_TRUE(IsRetried(509));
  EXPECT_FALSE(IsRetried(400, "ExpiredToken"));
}

}  // namespace
}  // namespace qarion::secrets::aws
