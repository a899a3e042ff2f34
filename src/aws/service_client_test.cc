#include "aws/service_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "core/json_document.h"
#include "tests/fakes/fault_server.h"
#include "tests/fakes/local_server.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_clock_ahead.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Credentials Signer() {
  return {.keys = {.access_key_id = "AKIDFAKE",
                   .secret_access_key = Secret::CopyOf("fake-secret-key"),
                   .session_token = Secret::CopyOf("fake-session-token")}};
}

class ServiceClientTest : public testing::Test {
 protected:
  // Answers the n-th request as the n-th of these, later ones as the last.
  std::string Serve(std::vector<test::LocalAnswer> answers) {
    server_.emplace([this, answers = std::move(answers)](const test::LocalRequest& request) {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
      return answers[std::min(seen_.size(), answers.size()) - 1];
    });
    return server_->Url();
  }

  Result<ServiceAnswer> Send(const std::string& endpoint, bool is_signed = true) {
    settings_.endpoints[Service::kSts] = {endpoint, "AWS_ENDPOINT_URL_STS"};
    client_.emplace(
        settings_, "eu-central-1", clock_,
        [this](std::string_view line) { log_.emplace_back(line); }, nullptr);
    ServiceRequest request{.body = Secret::CopyOf("Action=Fake")};
    request.headers.push_back({"Content-Type", Secret::CopyOf("text/fake")});
    if (is_signed) request.signer = &signer_;
    return client_->Send(request, {.deadline = clock_.SteadyNow() + std::chrono::minutes(10)});
  }

  // Waits for pauses between attempts, which the clock of the test has to end.
  Result<ServiceAnswer> SendWhileTimePasses(const std::string& endpoint) {
    const std::jthread turner([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        clock_.fake().AdvanceToNextDeadline();
        std::this_thread::yield();
      }
    });
    return Send(endpoint);
  }

  std::vector<test::LocalRequest> Seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  test::FakeClockAhead clock_;
  ClientSettings settings_;
  const Credentials signer_ = Signer();
  std::vector<std::string> log_;
  std::mutex mutex_;
  std::vector<test::LocalRequest> seen_;
  std::optional<test::LocalServer> server_;
  std::optional<ServiceClient> client_;
};

TEST_F(ServiceClientTest, SignsForServiceAndRegion) {
  auto answer = Send(Serve({{200, R"({"Fake":"yes"})"}}));
  ASSERT_TRUE(answer) << answer.error().reason();
  EXPECT_EQ((*answer)["Fake"].Text(), "yes");
  const auto request = Seen().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/");
  EXPECT_EQ(request.body, "Action=Fake");
  EXPECT_EQ(request.headers.at("x-amz-date"), "20260101T000000Z");
  EXPECT_EQ(request.headers.at("x-amz-security-token"), "fake-session-token");
  EXPECT_THAT(request.headers.at("authorization"),
              AllOf(StartsWith("AWS4-HMAC-SHA256 "
                               "Credential=AKIDFAKE/20260101/eu-central-1/sts/aws4_request, "
                               "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "),
                    Not(HasSubstr("fake-secret-key"))));
}

TEST_F(ServiceClientTest, KeepsThePathOfAnEndpoint) {
  ASSERT_TRUE(Send(Serve({{200, "{}"}}) + "/base/path"));
  EXPECT_EQ(Seen().at(0).path, "/base/path/");
}

TEST_F(ServiceClientTest, SignsNothingForNobody) {
  ASSERT_TRUE(Send(Serve({{200, "{}"}}), /*is_signed=*/false));
  EXPECT_FALSE(Seen().at(0).headers.contains("authorization"));
  EXPECT_FALSE(Seen().at(0).headers.contains("x-amz-date"));
}

TEST_F(ServiceClientTest, TriesThreeTimesUnderOneId) {
  auto answer = SendWhileTimePasses(Serve({{503, "{}"}, {400, R"({"__type":"Throttling"})"}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error_code, "Throttling");
  const auto seen = Seen();
  ASSERT_EQ(seen.size(), 3U);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].headers.at("amz-sdk-request"),
              "attempt=" + std::to_string(i + 1) + "; max=3");
    EXPECT_EQ(seen[i].headers.at("amz-sdk-invocation-id"),
              seen[0].headers.at("amz-sdk-invocation-id"));
  }
  EXPECT_EQ(seen[0].headers.at("amz-sdk-invocation-id").size(), 36U);
}

TEST_F(ServiceClientTest, TriesAsOftenAsIsSet) {
  settings_.most_attempts = 1;
  ASSERT_TRUE(Send(Serve({{503, "{}"}})));
  EXPECT_EQ(Seen().size(), 1U);
}

// A server behind a load balancer may hang while the next one does not.
TEST_F(ServiceClientTest, LeavesTimeForOthersWhereAnAttemptHangs) {
  test::FaultServer server({"hang", "answer:200"});
  settings_.endpoints[Service::kSts] = {"http://127.0.0.1:" + server.port(), "AWS_ENDPOINT_URL"};
  const auto clock = Clock::System();  // by which connections end
  client_.emplace(settings_, "eu-central-1", *clock, [](std::string_view) {}, nullptr);
  auto answer = client_->Send({}, {.deadline = clock->SteadyNow() + seconds(3)});
  ASSERT_TRUE(answer) << answer.error().reason();
  EXPECT_TRUE(answer->is_ok());
  EXPECT_EQ(server.CountRequests(), 2);
}

TEST_F(ServiceClientTest, TakesARefusalAtItsWord) {
  for (const int status : {400, 403, 404, 307}) {
    auto answer = Send(Serve({{status, R"({"__type":"AccessDenied"})"}}));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(Seen().size(), 1U) << status;
    seen_.clear();
  }
}

TEST_F(ServiceClientTest, SaysWhatCannotBeAsked) {
  settings_.most_attempts = 1;
  auto refused = Send("http://127.0.0.1:1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().reason(), HasSubstr("127.0.0.1:1"));
}

// A server over TLS whose first answer refuses the signature and says that time.
class ServiceClientClock : public ServiceClientTest {
 protected:
  void SetUp() override {
    test::MakeCertificate(directory_, "server");
    settings_.ca_bundle = {directory_.Path("server.pem"), "AWS_CA_BUNDLE"};
  }

  // The times of the requests that it saw.
  std::vector<std::string> TimesWhereItIs(const std::string& date,
                                          const std::string& code = "InvalidSignatureException") {
    test::FaultServer server({"--certificate", directory_.Path("server.pem"), "--key",
                              directory_.Path("server.key"),
                              R"(route:{"/":[400,{"__type":")" + code + R"("},"Date: )" + date +
                                  R"(","Connection: close"]})",
                              "answer:200"});
    auto answer = Send("https://127.0.0.1:" + server.port());
    EXPECT_TRUE(answer) << answer.error().reason();
    return TimesOf(server, answer && answer->is_ok() ? 2 : 1);
  }

  static std::vector<std::string> TimesOf(test::FaultServer& server, int count) {
    std::vector<std::string> times;
    for (int i = 0; i < count; ++i) {
      const auto request = core::JsonDocument::Parse(server.NextLine(), "request");
      EXPECT_TRUE(request);
      times.emplace_back((*request)["headers"]["x-amz-date"].Text().value_or(""));
    }
    EXPECT_EQ(server.CountRequests(), 0);
    return times;
  }

  test::TemporaryDirectory directory_;
};

// This machine's clock says 2026-01-01T00:00:00Z.
TEST_F(ServiceClientClock, IsCorrectedByARefusal) {
  EXPECT_THAT(TimesWhereItIs("Thu, 01 Jan 2026 01:00:00 GMT"),
              testing::ElementsAre("20260101T000000Z", "20260101T010000Z"));
  EXPECT_EQ(client_->clock().offset(), seconds(3600));
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_THAT(log_[0], HasSubstr("3600 s behind"));
  EXPECT_THAT(TimesWhereItIs("Wed, 31 Dec 2025 23:55:00 GMT", "RequestTimeTooSkewed"),
              testing::ElementsAre("20260101T000000Z", "20251231T235500Z"));
}

TEST_F(ServiceClientClock, IsLeftAloneByAbsurdDates) {
  for (const std::string date : {"Thu, 01 Jan 2026 00:04:00 GMT", "Mon, 01 Jan 1816 00:00:00 GMT",
                                 "Fri, 02 Jan 2026 00:00:01 GMT", "Tue, 30 Dec 2025 23:59:59 GMT",
                                 "yesterday", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    EXPECT_THAT(TimesWhereItIs(date), testing::ElementsAre("20260101T000000Z")) << date;
    EXPECT_EQ(client_->clock().offset(), seconds(0));
  }
}

TEST_F(ServiceClientClock, IsLeftAloneByOtherRefusals) {
  EXPECT_THAT(TimesWhereItIs("Thu, 01 Jan 2026 01:00:00 GMT", "AccessDeniedException"),
              testing::ElementsAre("20260101T000000Z"));
}

// Anybody on the way could have written it.
TEST_F(ServiceClientClock, IsLeftAloneWithoutTls) {
  test::FaultServer server({R"(route:{"/":[400,{"__type":"SignatureDoesNotMatch"},)"
                            R"("Date: Thu, 01 Jan 2026 01:00:00 GMT"]})"});
  ASSERT_TRUE(Send("http://127.0.0.1:" + server.port()));
  EXPECT_EQ(TimesOf(server, 1).size(), 1U);
  EXPECT_EQ(client_->clock().offset(), seconds(0));
}

}  // namespace
}  // namespace qarion::secrets::aws
