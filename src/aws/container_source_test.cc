#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/fakes/fault_server.h"
#include "tests/support/aws_source_base.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kDocument[] =
    R"({"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"fake-secret","Token":"fake-session",)"
    R"("Expiration":"2026-01-01T06:00:00Z","AccountId":"123456789012","RoleArn":"arn"})";
constexpr char kContainerKeys[] = "AKIAEXAMPLE fake-secret fake-session 123456789012";

class ContainerSource : public test::AwsSourceBase {
 protected:
  void OpenAt(const std::string& url) {
    Set("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    Open(&MakeContainerSource);
  }
};

TEST_F(ContainerSource, DoesNotApplyWithoutItsVariables) {
  Open(&MakeContainerSource);
  EXPECT_EQ(Ask(),
            "why not: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
            "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set");
}

TEST_F(ContainerSource, AsksAsBotocoreDoes) {
  const test::ScriptedServer server({{200, kDocument}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic fake-token");
  OpenAt(server.Url("/v2/credentials/id?a=1"));
  const auto offer = Get();
  EXPECT_EQ(Outcome(offer), kContainerKeys);
  EXPECT_EQ(offer->credentials->origin, "container (" + server.Url() + ")");
  EXPECT_EQ(offer->credentials->expires_at, clock_.SystemNow() + std::chrono::hours(6));
  EXPECT_THAT(server.Lines(), ElementsAre("GET /v2/credentials/id?a=1"));
  const test::LocalRequest request = server.seen().front();
  EXPECT_EQ(request.headers.at("accept"), "application/json");
  EXPECT_EQ(request.headers.at("authorization"), "Basic fake-token");
}

TEST_F(ContainerSource, SendsNoAuthorizationWithoutAToken) {
  const test::ScriptedServer server({{200, kDocument}});
  OpenAt(server.Url("/x"));
  EXPECT_EQ(Ask(), kContainerKeys);
  EXPECT_FALSE(server.seen().front().headers.contains("authorization"));
}

TEST_F(ContainerSource, ReadsTheTokenFileEachTimeAndPrefersIt) {
  const test::ScriptedServer server({{200, kDocument}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-other");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_.Write("token", "fake-first"));
  OpenAt(server.Url("/x"));
  EXPECT_EQ(Ask(), kContainerKeys);
  EXPECT_THAT(Held(), ElementsAre("fake-first"));
  home_.Write("token", "fake-second");
  EXPECT_EQ(Ask(), kContainerKeys);
  EXPECT_THAT(Held(), ElementsAre("fake-second"));
  EXPECT_EQ(server.seen().at(0).headers.at("authorization"), "fake-first");
  EXPECT_EQ(server.seen().at(1).headers.at("authorization"), "fake-second");
}

// botocore refuses such a file, which every editor and `kubectl create secret` may write; the other
// official clients do not.
TEST_F(ContainerSource, ForgivesTheTokenFileANewlineAtItsEnd) {
  for (const char* const end : {"\n", "\r\n"}) {
    const test::ScriptedServer server({{200, kDocument}});
    Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        home_.Write("token", std::string("fake-token") + end));
    OpenAt(server.Url("/x"));
    EXPECT_EQ(Ask(), kContainerKeys);
    EXPECT_EQ(server.seen().front().headers.at("authorization"), "fake-token");
  }
}

TEST_F(ContainerSource, SendsNoTokenThatIsTwoLines) {
  for (const char* const token :
       {"fake-a\r\nX-Other: fake-b", "fake-a\nfake-b", "fake-a\n\n", "fake-a\rb", "\nfake-a"}) {
    const test::ScriptedServer server({{200, kDocument}});
    Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_.Write("token", token));
    OpenAt(server.Url("/x"));
    const auto offer = Get();
    ASSERT_FALSE(offer);
    EXPECT_EQ(offer.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(offer.error().reason(), HasSubstr("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " +
                                                  home_.Path("token") + " holds a line break"));
    EXPECT_TRUE(server.seen().empty());
  }
}

TEST_F(ContainerSource, RefusesATokenOfTwoLinesInTheVariable) {
  const test::ScriptedServer server({{200, kDocument}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-token\n");
  OpenAt(server.Url("/x"));
  EXPECT_THAT(Ask(), StartsWith("error: AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line break"));
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(ContainerSource, RefusesAnEmptyTokenAndAFileThatIsMissing) {
  const test::ScriptedServer server({{200, kDocument}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "");
  OpenAt(server.Url("/x"));
  EXPECT_EQ(Ask(), "error: AWS_CONTAINER_AUTHORIZATION_TOKEN holds nothing");
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_.Write("token", "\n"));
  Open(&MakeContainerSource);
  EXPECT_THAT(Ask(), HasSubstr("token holds nothing"));
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home_.Path("none"));
  Open(&MakeContainerSource);
  EXPECT_THAT(Ask(), HasSubstr("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
  EXPECT_TRUE(server.seen().empty());
}

TEST_F(ContainerSource, RetriesWhateverIsNoAnswerThreeTimesASecondApart) {
  const test::LocalAnswer bad[] = {{400}, {403}, {404}, {500}, {503}, {200, "<html>"}, {200, ""}};
  for (const test::LocalAnswer& answer : bad) {
    const test::ScriptedServer server({answer});
    OpenAt(server.Url("/x"));
    const std::size_t before = clock_.pauses().size();
    const auto offer = Get();
    ASSERT_FALSE(offer);
    EXPECT_THAT(offer.error().reason(),
                HasSubstr(answer.status == 200 ? "does not answer in JSON"
                                               : "answers " + std::to_string(answer.status)));
    EXPECT_EQ(server.seen().size(), 3);
    // botocore sleeps once more after the last.
    const std::vector pauses(clock_.pauses().begin() + static_cast<std::ptrdiff_t>(before),
                             clock_.pauses().end());
    EXPECT_THAT(pauses, ElementsAre(milliseconds(1000), milliseconds(1000)));
  }
}

TEST_F(ContainerSource, TakesTheFirstGoodAnswer) {
  const test::ScriptedServer server({{500}, {200, "{"}, {200, kDocument}});
  OpenAt(server.Url("/x"));
  EXPECT_EQ(Ask(), kContainerKeys);
  EXPECT_EQ(server.seen().size(), 3);
}

TEST_F(ContainerSource, RetriesAConnectionThatWasClosed) {
  test::FaultServer server({"read-and-close", "close", std::string("json:200:") + kDocument});
  OpenAt(server.Url("/x"));
  EXPECT_EQ(Ask(), kContainerKeys);
}

TEST_F(ContainerSource, WaitsTwoSecondsForAnAnswer) {
  test::FaultServer server({"hang", std::string("json:200:") + kDocument});
  OpenAt(server.Url("/x"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Ask(), kContainerKeys);
  const auto taken = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(taken, milliseconds(1900));
  EXPECT_LT(taken, milliseconds(3900));
}

TEST_F(ContainerSource, TakesNoLongerThanItsCallerWaits) {
  test::FaultServer server({"hang"});
  OpenAt(server.Url("/x"));
  const auto offer = Get(milliseconds(100));
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(server.CountRequests(), 1);
}

TEST_F(ContainerSource, SendsNothingWhereItIsRedirected) {
  const test::ScriptedServer elsewhere({{200, kDocument}});
  test::FaultServer server({"answer:307:Location=" + elsewhere.Url("/x")});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-token");
  OpenAt(server.Url("/x"));
  EXPECT_THAT(Ask(), HasSubstr("redirects elsewhere (307); nothing was sent there"));
  EXPECT_TRUE(elsewhere.seen().empty());
}

TEST_F(ContainerSource, RefusesAnAnswerThatIsTooLong) {
  const test::ScriptedServer server({{200, "{\"a\":\"" + std::string(65536, 'x') + "\"}"}});
  OpenAt(server.Url("/x"));
  EXPECT_THAT(Ask(), HasSubstr("longer than the limit"));
  EXPECT_EQ(server.seen().size(), 1);
}

TEST_F(ContainerSource, NamesTheMemberThatIsMissing) {
  for (const std::string name : {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}) {
    std::string document = kDocument;
    document.replace(document.find(name), 1, "_");
    const test::ScriptedServer server({{200, document}});
    OpenAt(server.Url("/x"));
    const auto offer = Get();
    ASSERT_FALSE(offer) << name;
    EXPECT_THAT(offer.error().reason(), HasSubstr(name));
    EXPECT_THAT(offer.error().reason(), HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
  }
}

TEST_F(ContainerSource, ShowsNoPieceOfWhatItSent) {
  const test::ScriptedServer server(
      {{403, "claims fake-payload-part at /v2/credentials/fake-id of 127.0.0.1"}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer fake-head.fake-payload-part.fake-signature");
  OpenAt(server.Url("/v2/credentials/fake-id"));
  EXPECT_THAT(Ask(), HasSubstr("answers 403: claims *** at *** of 127.0.0.1"));
}

TEST_F(ContainerSource, SaysWhyAnAnswerThatIsFineHasNoCredentials) {
  const test::ScriptedServer server(
      {{200, R"({"code":"AccessDenied","message":"no role for fake-token"})"}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-token");
  OpenAt(server.Url("/x"));
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(offer.error().reason(), HasSubstr("a refusal: AccessDenied, no role for ***"));
}

TEST_F(ContainerSource, TakesAPageOrAnyOtherRefusalForAFailureThatPasses) {
  for (const std::string body :
       {"<html>Sign in</html>", R"({"Code":"InternalServerException","Message":"later"})"}) {
    const test::ScriptedServer server({{200, body}});
    OpenAt(server.Url("/x"));
    const auto offer = Get();
    ASSERT_FALSE(offer) << body;
    EXPECT_EQ(offer.error().code(), ErrorCode::kUnavailable) << body;
  }
}

TEST_F(ContainerSource, SaysWhatTheServerSaysOfARefusal) {
  const test::ScriptedServer server(
      {{403, "[id]: (AccessDeniedException): no association for fake-token\n"}});
  Set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake-token");
  OpenAt(server.Url("/x"));
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(offer.error().reason(),
              HasSubstr("answers 403: [id]: (AccessDeniedException): no association for ***"));
}

// aws_credentials/default-credential-provider-chain
TEST_F(ContainerSource, DoesWhatThePublishedCasesSay) {
  const auto found = test::FindVectors(
      "aws_credentials/default-credential-provider-chain/ecs_credentials_invalid_profile");
  if (!found) GTEST_SKIP() << test::kNoVectors;
  const test::Traffic traffic = test::ReadTraffic(*found);
  ASSERT_EQ(traffic.requests.size(), 1);
  const test::ScriptedServer server(traffic.answers);
  OpenAt(server.Url(traffic.requests[0].substr(4)));
  const auto offer = Get();
  EXPECT_EQ(Outcome(offer), "ASIARCORRECT secretkeycorrect tokencorrect 012345678901");
  EXPECT_EQ(std::chrono::system_clock::to_time_t(*offer->credentials->expires_at), 1234567890);
  EXPECT_EQ(server.Lines(), traffic.requests);
}

}  // namespace
}  // namespace qarion::secrets::aws
