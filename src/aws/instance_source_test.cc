#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/support/aws_source_base.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kRoles[] = "/latest/meta-data/iam/security-credentials/";
constexpr char kInstanceKeys[] = "ASIAEXAMPLE fake-secret fake-session ";

std::string Document(const std::string& expiration = "2026-01-01T06:00:00Z") {
  return R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE",)"
         R"("SecretAccessKey":"fake-secret","Token":"fake-session","Expiration":")" +
         expiration + "\"}";
}

class InstanceSource : public test::AwsSourceBase {
 protected:
  InstanceSource() { settings_.metadata.timeout = seconds(10); }

  void OpenAt(const std::string& url) {
    settings_.metadata.endpoint = {url, "AWS_EC2_METADATA_SERVICE_ENDPOINT"};
    Open(&MakeInstanceSource);
  }
  // What the credentials of such an answer come to.
  std::string OutcomeOf(const test::LocalAnswer& document) {
    const test::ScriptedServer server({{200, "fake-token"}, {200, "my-role"}, document});
    OpenAt(server.Url());
    return Ask();
  }
  // How long credentials that end in `left` are used.
  seconds LifeOf(seconds left, double chance) {
    chance_ = chance;
    const test::ScriptedServer server(
        {{200, "fake-token"},
         {200, "my-role"},
         {200, Document(left < seconds::zero() ? "2025-12-31T00:00:00Z" : TimeIn(left))}});
    OpenAt(server.Url());
    const auto offer = Get();
    EXPECT_EQ(Outcome(offer), kInstanceKeys);
    if (!offer || !offer->credentials) return {};
    return std::chrono::duration_cast<seconds>(*offer->credentials->expires_at -
                                               clock_.SystemNow());
  }

 private:
  static std::string TimeIn(seconds left) {  // of 2026-01-01T00:00:00Z
    const auto digits = [](std::int64_t number) {
      return (number < 10 ? "0" : "") + std::to_string(number);
    };
    return "2026-01-01T" + digits(left.count() / 3600) + ":" + digits(left.count() / 60 % 60) +
           ":" + digits(left.count() % 60) + "Z";
  }
};

TEST_F(InstanceSource, AsksAsBotocoreDoes) {
  const test::ScriptedServer server({{200, "fake-token"}, {200, "my-role"}, {200, Document()}});
  OpenAt(server.Url());
  const auto offer = Get();
  EXPECT_EQ(Outcome(offer), kInstanceKeys);
  EXPECT_EQ(offer->credentials->origin, "instance role my-role (" + server.Url() + ")");
  EXPECT_EQ(offer->credentials->expires_at, clock_.SystemNow() + std::chrono::hours(6));
  EXPECT_THAT(server.Lines(), ElementsAre("PUT /latest/api/token", std::string("GET ") + kRoles,
                                          std::string("GET ") + kRoles + "my-role"));
  const auto seen = server.seen();
  EXPECT_EQ(seen[0].headers.at("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(seen[0].body, "");
  EXPECT_EQ(seen[1].headers.at("x-aws-ec2-metadata-token"), "fake-token");
  EXPECT_EQ(seen[2].headers.at("x-aws-ec2-metadata-token"), "fake-token");
  EXPECT_THAT(Held(), ElementsAre("fake-token"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(InstanceSource, AppendsToAnEndpointWithASlashAtItsEnd) {
  const test::ScriptedServer server({{200, "fake-token"}, {200, "my-role"}, {200, Document()}});
  OpenAt(server.Url("/proxy/"));
  EXPECT_EQ(Ask(), kInstanceKeys);
  EXPECT_EQ(server.Lines().front(), "PUT /proxy/latest/api/token");
}

TEST_F(InstanceSource, AsksNobodyWhereItIsDisabled) {
  settings_.metadata.is_disabled = true;
  const test::ScriptedServer server({{200, "fake-token"}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), "why not: AWS_EC2_METADATA_DISABLED is true");
  EXPECT_THAT(server.Lines(), IsEmpty());
}

TEST_F(InstanceSource, FallsBackToVersion1WithoutAToken) {
  for (const int status : {401, 403, 404, 405, 500, 503}) {
    const test::ScriptedServer server({{status}, {200, "my-role"}, {200, Document()}});
    OpenAt(server.Url());
    EXPECT_EQ(Ask(), kInstanceKeys) << status;
    const auto seen = server.seen();
    ASSERT_EQ(seen.size(), 3);
    EXPECT_FALSE(seen[1].headers.contains("x-aws-ec2-metadata-token"));
    EXPECT_FALSE(seen[2].headers.contains("x-aws-ec2-metadata-token"));
  }
}

TEST_F(InstanceSource, StopsWhereTheTokensRequestIsCalledBad) {
  const test::ScriptedServer server({{400}, {200, "my-role"}, {200, Document()}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), "why not: " + server.Url() + " refuses a token (400)");
  EXPECT_EQ(server.seen().size(), 1);
}

TEST_F(InstanceSource, IsAnErrorWhereVersion1IsForbiddenAndThereIsNoToken) {
  settings_.metadata.is_v1_disabled = true;
  const test::ScriptedServer server({{403}, {200, "my-role"}, {200, Document()}});
  OpenAt(server.Url());
  EXPECT_THAT(Ask(), StartsWith("error: " + server.Url() +
                                " refuses a token (403), and "
                                "AWS_EC2_METADATA_V1_DISABLED"));
  EXPECT_EQ(server.seen().size(), 1);
}

TEST_F(InstanceSource, WorksWithATokenWhereVersion1IsForbidden) {
  settings_.metadata.is_v1_disabled = true;
  const test::ScriptedServer server({{200, "fake-token"}, {200, "my-role"}, {200, Document()}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), kInstanceKeys);
}

// botocore asks version 1 too, which can as little be reached.
TEST_F(InstanceSource, DoesNotAskVersion1WhereNobodyIsThere) {
  OpenAt("http://127.0.0.1:1");  // tcpmux, which nobody serves
  settings_.metadata.is_v1_disabled = true;
  EXPECT_THAT(Ask(), StartsWith("why not: 127.0.0.1:1: Failed to connect"));
}

TEST_F(InstanceSource, CostsLittleMoreThanItsTimeoutWhereTheServiceHangs) {
  settings_.metadata.timeout = milliseconds(400);
  test::FaultServer server({"hang"});
  OpenAt(server.Url(""));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(), "why not: " + server.Url("") + " does not answer within 100 ms");
  const auto taken = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(taken, milliseconds(400));
  EXPECT_LT(taken, milliseconds(790));
  EXPECT_EQ(server.CountRequests(), 2);
}

// A container on an instance whose hop limit is 1, and which still allows version 1.
TEST_F(InstanceSource, AsksVersion1WhereTheTokenDoesNotArrive) {
  settings_.metadata.timeout = milliseconds(400);
  std::promise<void> end;
  const auto ended = end.get_future().share();
  {
    const test::LocalServer server([&](const test::LocalRequest& request) -> test::LocalAnswer {
      if (request.method == "PUT") ended.wait();
      if (request.path == kRoles) return {200, "my-role"};
      return {200, Document()};
    });
    OpenAt(server.Url());
    EXPECT_EQ(Ask(), kInstanceKeys);
    end.set_value();
  }
}

TEST_F(InstanceSource, SaysWhatKeepsTheTokenFromContainers) {
  settings_.metadata.timeout = milliseconds(400);
  std::promise<void> end;
  const auto ended = end.get_future().share();
  {
    const test::LocalServer server([&](const test::LocalRequest& request) -> test::LocalAnswer {
      if (request.method == "PUT") ended.wait();
      return {401};
    });
    OpenAt(server.Url());
    EXPECT_THAT(Ask(), HasSubstr("answers only with a token, which it did not give (a hop limit"));
    end.set_value();
  }
}

TEST_F(InstanceSource, IsAnErrorWhereItsCallerHasNoTimeLeft) {
  test::FaultServer server({"hang"});
  OpenAt(server.Url(""));
  const auto offer = Get(milliseconds(100));
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kUnavailable);
}

TEST_F(InstanceSource, AsksAsOftenAsTheSettingsSayWithoutAPause) {
  settings_.metadata.attempts = 3;
  const test::ScriptedServer server({{503},
                                     {500},
                                     {200, "fake-token"},
                                     {503},
                                     {200, ""},
                                     {200, "my-role"},
                                     {500},
                                     {200, "{"},
                                     {200, Document()}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), kInstanceKeys);
  EXPECT_EQ(server.seen().size(), 9);
  EXPECT_THAT(clock_.pauses(), IsEmpty());
}

TEST_F(InstanceSource, AsksOnceUnlessTheSettingsSayMore) {
  const test::ScriptedServer server({{200, "fake-token"}, {503}, {200, "my-role"}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), "error: " + server.Url() + " answers 503");
  EXPECT_EQ(server.seen().size(), 2);
}

TEST_F(InstanceSource, DoesNotApplyWhereTheInstanceHasNoRole) {
  for (const int status : {401, 404}) {
    const test::ScriptedServer server({{200, "fake-token"}, {status, "<html>"}});
    OpenAt(server.Url());
    EXPECT_EQ(Ask(), "why not: " + server.Url() + " answers " + std::to_string(status));
  }
  for (const char* const list : {"a\nb", "../x", "<html>", "role?x=1", " "}) {
    const test::ScriptedServer server({{200, "fake-token"}, {200, list}, {200, Document()}});
    OpenAt(server.Url());
    EXPECT_EQ(Ask(), "why not: " + server.Url() + " names no role");
    EXPECT_EQ(server.seen().size(), 2);
  }
}

TEST_F(InstanceSource, DoesNotApplyWhereTheRoleGivesNothing) {
  EXPECT_THAT(OutcomeOf({500}), HasSubstr("answers 500"));
  EXPECT_THAT(OutcomeOf({200, ""}), HasSubstr("answers nothing"));
  EXPECT_THAT(OutcomeOf({200, "<html>"}), HasSubstr("does not answer in JSON"));
  EXPECT_THAT(OutcomeOf({200, std::string(65537, ' ')}), HasSubstr("longer than the limit"));
  EXPECT_THAT(OutcomeOf({200, "[]"}), HasSubstr("why not: instance role my-role"));
  EXPECT_THAT(
      OutcomeOf({200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"not by fake-token"})"}),
      HasSubstr(": AssumeRoleUnauthorizedAccess, not by ***"));
  for (const std::string name : {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}) {
    std::string document = Document();
    document.replace(document.find(name), 1, "_");
    const std::string outcome = OutcomeOf({200, document});
    EXPECT_THAT(outcome, StartsWith("why not: "));
    EXPECT_THAT(outcome, HasSubstr(name));
  }
}

TEST_F(InstanceSource, RefusesATokenThatIsTwoLines) {
  const test::ScriptedServer server({{200, "fake-a\r\nX-Other: b"}, {200, "my-role"}});
  OpenAt(server.Url());
  EXPECT_EQ(Ask(), "why not: " + server.Url() + " gives a token that cannot be sent back");
  EXPECT_EQ(server.seen().size(), 1);
}

// botocore's _evaluate_expiration: a window of 15 minutes and 2 to 10 minutes of chance.
TEST_F(InstanceSource, UsesCredentialsForLongerThatEndSoon) {
  EXPECT_EQ(LifeOf(seconds(-1), 0), minutes(17));
  EXPECT_EQ(LifeOf(seconds(0), 0), minutes(17));
  EXPECT_EQ(LifeOf(seconds(-1), 0.999999), minutes(25));
  EXPECT_EQ(LifeOf(minutes(17), 0), minutes(17));
  EXPECT_EQ(LifeOf(minutes(16), 0.5), minutes(15 + 6));
  ASSERT_EQ(log_.size(), 5);
  EXPECT_THAT(log_.back(), HasSubstr("instance role my-role"));
  EXPECT_THAT(log_.back(), HasSubstr("until there are others"));
}

TEST_F(InstanceSource, LeavesTheEndOfOtherCredentialsAlone) {
  EXPECT_EQ(LifeOf(minutes(17) + seconds(1), 0), minutes(17) + seconds(1));
  EXPECT_EQ(LifeOf(minutes(26), 0.999999), minutes(26));
  EXPECT_THAT(log_, IsEmpty());
}

class PublishedInstanceCase : public InstanceSource {
 protected:
  // Plays what was recorded of the Rust SDK; the outcome, and the requests that were made.
  std::string Play(const std::string& name) {
    const auto found =
        test::FindVectors("aws_credentials/default-credential-provider-chain/" + name);
    if (!found) return "";
    traffic_ = test::ReadTraffic(*found);
    const test::ScriptedServer server(traffic_.answers);
    OpenAt(server.Url());
    const std::string outcome = Ask();
    lines_ = server.Lines();
    return outcome;
  }
  test::Traffic traffic_;
  std::vector<std::string> lines_;
};

TEST_F(PublishedInstanceCase, Success) {
  const std::string outcome = Play("imds_default_chain_success");
  if (traffic_.requests.empty()) GTEST_SKIP() << test::kNoVectors;
  EXPECT_EQ(outcome, "ASIARTEST testsecret testtoken ");
  EXPECT_EQ(lines_, traffic_.requests);
}

TEST_F(PublishedInstanceCase, Retries) {
  settings_.metadata.attempts = 2;  // boto3 asks once unless it is told otherwise
  const std::string outcome = Play("imds_default_chain_retries");
  if (traffic_.requests.empty()) GTEST_SKIP() << test::kNoVectors;
  EXPECT_EQ(outcome, "ASIARTEST testsecret testtoken ");
  EXPECT_EQ(lines_, traffic_.requests);
}

// The Rust SDK ends here; boto3 asks version 1, and it wins.
TEST_F(PublishedInstanceCase, TokenFails) {
  const std::string outcome = Play("imds_token_fail");
  if (traffic_.requests.empty()) GTEST_SKIP() << test::kNoVectors;
  EXPECT_THAT(outcome, HasSubstr("answers 403"));
  EXPECT_THAT(lines_, ElementsAre(traffic_.requests[0], std::string("GET ") + kRoles));
}

}  // namespace
}  // namespace qarion::secrets::aws
