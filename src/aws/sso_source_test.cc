#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/aws_source_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// By `printf %s dev | sha1sum` and `printf %s https://example.awsapps.com/start | sha1sum`.
constexpr char kSessionFile[] = "34c6fceca75e456f25e7e99531e2425c6c1de443.json";
constexpr char kLegacyFile[] = "e8be5486177c5b5392bd9aa76563515b29358e6e.json";

constexpr char kSession[] =
    "[profile app]\nsso_session = dev\nsso_account_id = 123456789012\nsso_role_name = my+role\n"
    "[sso-session dev]\nsso_region = eu-west-1\nsso_start_url = "
    "https://example.awsapps.com/start\n";
constexpr char kLegacy[] =
    "[profile app]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
    "sso_account_id = 123456789012\nsso_role_name = my+role\n";

constexpr char kRole[] =
    R"({"roleCredentials":{"accessKeyId":"ASIAEXAMPLE","secretAccessKey":"fake-secret",)"
    R"("sessionToken":"fake-session","expiration":1767247200000}})";
constexpr char kSsoKeys[] = "ASIAEXAMPLE fake-secret fake-session 123456789012";
constexpr char kNewToken[] =
    R"({"accessToken":"fake-new","expiresIn":28800,"refreshToken":"fake-next"})";

// It is 2026-01-01T00:00:00Z.
std::string Token(const std::string& expires_at,
                  const std::string& registration_expires_at = "2026-03-01T00:00:00Z") {
  return R"({"startUrl":"https://example.awsapps.com/start","region":"eu-west-1",)"
         R"("accessToken":"fake-access","expiresAt":")" +
         expires_at +
         R"(","clientId":"client","clientSecret":"fake-client","refreshToken":"fake-refresh",)"
         R"("registrationExpiresAt":")" +
         registration_expires_at + "\"}";
}
std::string LegacyToken(const std::string& expires_at) {
  return R"({"accessToken":"fake-access","expiresAt":")" + expires_at + "\"}";
}

class SsoSource : public test::AwsSourceBase {
 protected:
  SsoSource() { settings_.most_attempts = 1; }

  void WriteToken(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(home_.Path(".aws/sso/cache"));
    home_.Write(".aws/sso/cache/" + name, text);
  }
  std::string ReadToken() { return home_.Read(std::string(".aws/sso/cache/") + kSessionFile); }

  void OpenAt(const std::string& url, const std::string& config,
              const std::string& profile = "app") {
    std::filesystem::create_directories(home_.Path(".aws"));
    home_.Write(".aws/config", config);
    settings_.endpoints[Service::kSso] = {url, "AWS_ENDPOINT_URL_SSO"};
    settings_.endpoints[Service::kSsoOidc] = {url, "AWS_ENDPOINT_URL_SSO_OIDC"};
    Set("AWS_PROFILE", profile);
    Open([profile](const SourceContext& context) { return MakeSsoSource(context, profile); });
  }
  // The error where nobody may be asked.
  std::string ErrorWith(const std::string& config) {
    const test::ScriptedServer server({{200, kRole}});
    OpenAt(server.Url(), config);
    const auto offer = Get();
    EXPECT_THAT(server.Lines(), IsEmpty());
    if (offer) return Outcome(offer);
    EXPECT_EQ(offer.error().code(), ErrorCode::kConfiguration);
    return offer.error().reason();
  }
};

TEST_F(SsoSource, DoesNotApplyToOtherProfiles) {
  EXPECT_EQ(ErrorWith("[profile app]\nregion = x\n"),
            "why not: the profile app has neither sso_account_id nor sso_role_name");
  // The Rust SDK refuses this one (profile-provider/invalid_sso_credentials_config); for boto3 it
  // is a profile that gives access tokens alone, and the next source is asked.
  EXPECT_EQ(ErrorWith("[profile app]\nsso_session = dev\n[sso-session dev]\nsso_region = x\n"),
            "why not: the profile app has neither sso_account_id nor sso_role_name");
}

TEST_F(SsoSource, AsksThePortalAsBotocoreDoes) {
  WriteToken(kSessionFile, Token("2026-01-01T01:00:00Z"));
  const test::ScriptedServer server({{200, kRole}});
  OpenAt(server.Url(), kSession);
  const auto offer = Get();
  EXPECT_EQ(Outcome(offer), kSsoKeys);
  EXPECT_EQ(offer->credentials->origin, "SSO role my+role of account 123456789012 by profile app");
  EXPECT_EQ(offer->credentials->expires_at, clock_.SystemNow() + std::chrono::hours(6));
  EXPECT_THAT(server.Lines(),
              ElementsAre("GET /federation/credentials?role_name=my%2Brole&account_id="
                          "123456789012"));
  const auto headers = server.seen().front().headers;
  EXPECT_EQ(headers.at("x-amz-sso_bearer_token"), "fake-access");
  EXPECT_THAT(Held(), testing::UnorderedElementsAre("fake-access", "fake-refresh", "fake-client"));
  EXPECT_FALSE(headers.contains("authorization"));
}

TEST_F(SsoSource, KnowsTheOlderForm) {
  WriteToken(kLegacyFile, LegacyToken("2026-01-01T00:00:01UTC"));
  const test::ScriptedServer server({{200, kRole}});
  OpenAt(server.Url(), kLegacy);
  EXPECT_EQ(Ask(), kSsoKeys);
  EXPECT_EQ(server.seen().front().headers.at("x-amz-sso_bearer_token"), "fake-access");
}

TEST_F(SsoSource, DoesNotRefreshTheOlderForm) {
  WriteToken(kLegacyFile, Token("2026-01-01T00:00:00Z"));
  const test::ScriptedServer server({{200, kNewToken}});
  OpenAt(server.Url(), kLegacy);
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().reason(), "the login by SSO of the profile app has ended");
  EXPECT_EQ(offer.error().cure(), "run `aws sso login --profile app`");
  EXPECT_THAT(server.Lines(), IsEmpty());
}

TEST_F(SsoSource, RefreshesATokenWithLessThanFifteenMinutesLeft) {
  WriteToken(kSessionFile, Token("2026-01-01T00:14:59Z"));
  const test::ScriptedServer server({{200, kNewToken}, {200, kRole}});
  OpenAt(server.Url(), kSession);
  EXPECT_EQ(Ask(), kSsoKeys);
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 2);
  EXPECT_EQ(seen[0].method + " " + seen[0].path, "POST /token");
  EXPECT_EQ(seen[0].headers.at("content-type"), "application/json");
  EXPECT_FALSE(seen[0].headers.contains("authorization"));
  const auto body = core::JsonDocument::Parse(seen[0].body, "body");
  ASSERT_TRUE(body);
  EXPECT_THAT(body->root().Names(), testing::UnorderedElementsAre("grantType", "clientId",
                                                                  "clientSecret", "refreshToken"));
  EXPECT_EQ((*body)["grantType"].Text(), "refresh_token");
  EXPECT_EQ((*body)["clientId"].Text(), "client");
  EXPECT_EQ((*body)["clientSecret"].Text(), "fake-client");
  EXPECT_EQ((*body)["refreshToken"].Text(), "fake-refresh");
  EXPECT_EQ(seen[1].headers.at("x-amz-sso_bearer_token"), "fake-new");
  const auto kept = core::JsonDocument::Parse(ReadToken(), "file");
  ASSERT_TRUE(kept);
  EXPECT_EQ((*kept)["accessToken"].Text(), "fake-new");
  EXPECT_EQ((*kept)["expiresAt"].Text(), "2026-01-01T08:00:00Z");
  EXPECT_EQ((*kept)["refreshToken"].Text(), "fake-next");
  EXPECT_EQ((*kept)["startUrl"].Text(), "https://example.awsapps.com/start");
  EXPECT_THAT(Held(), testing::UnorderedElementsAre("fake-new", "fake-next", "fake-client"));
}

TEST_F(SsoSource, UsesATokenWithFifteenMinutesLeftAsItIs) {
  WriteToken(kSessionFile, Token("2026-01-01T00:15:00Z"));
  const test::ScriptedServer server({{200, kRole}});
  OpenAt(server.Url(), kSession);
  EXPECT_EQ(Ask(), kSsoKeys);
  EXPECT_EQ(server.seen().size(), 1);
}

TEST_F(SsoSource, RefreshesATokenThatHasEnded) {
  WriteToken(kSessionFile, Token("2025-12-31T00:00:00Z"));
  const test::ScriptedServer server({{200, kNewToken}, {200, kRole}});
  OpenAt(server.Url(), kSession);
  EXPECT_EQ(Ask(), kSsoKeys);
}

TEST_F(SsoSource, CoversAFailedRefreshWhileTheOldTokenLives) {
  const std::string before = Token("2026-01-01T00:00:01Z");
  WriteToken(kSessionFile, before);
  const test::ScriptedServer server(
      {{400, R"({"error":"invalid_grant","error_description":"fake-refresh is used up"})"},
       {200, kRole}});
  OpenAt(server.Url(), kSession);
  EXPECT_EQ(Ask(), kSsoKeys);
  EXPECT_EQ(server.seen().at(1).headers.at("x-amz-sso_bearer_token"), "fake-access");
  ASSERT_EQ(log_.size(), 1);
  EXPECT_THAT(log_[0], StartsWith("SSO: the token of dev is not refreshed: "));
  EXPECT_EQ(ReadToken(), before);
}

TEST_F(SsoSource, SaysHowToLogInWhereTheRefreshFailsAndTheTokenHasEnded) {
  const std::pair<std::string, std::vector<test::LocalAnswer>> cases[] = {
      {Token("2026-01-01T00:00:00Z"), {{400, R"({"error":"invalid_grant"})"}}},
      {Token("2026-01-01T00:00:00Z"), {{200, "{}"}}},
      {Token("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), {}},
      {Token("2026-01-01T00:00:00Z", ""), {}},
      {LegacyToken("2026-01-01T00:00:00Z"), {}}};
  for (const auto& [token, answers] : cases) {
    WriteToken(kSessionFile, token);
    const test::ScriptedServer server(answers.empty() ? std::vector<test::LocalAnswer>{{500}}
                                                      : answers);
    OpenAt(server.Url(), kSession);
    const auto offer = Get();
    ASSERT_FALSE(offer);
    EXPECT_THAT(offer.error().reason(),
                StartsWith("the login by SSO of the profile app has ended, and is not refreshed"));
    EXPECT_EQ(offer.error().cure(), "run `aws sso login --profile app`");
    EXPECT_EQ(server.seen().size(), answers.size());
  }
}

TEST_F(SsoSource, DoesNotTakeAnOutageForTheEndOfALogin) {
  WriteToken(kSessionFile, Token("2026-01-01T00:00:00Z"));
  const test::ScriptedServer server({{503, "{}"}});
  OpenAt(server.Url(), kSession);
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(offer.error().reason(), StartsWith("sso-oidc:CreateToken failed"));
}

TEST_F(SsoSource, TakesTheTokenThatAnotherProcessWasQuickerToRefresh) {
  WriteToken(kSessionFile, Token("2026-01-01T00:00:00Z"));
  std::string used;
  const test::LocalServer server([&](const test::LocalRequest& request) -> test::LocalAnswer {
    if (request.path == "/token") {
      std::string other = Token("2026-01-01T08:00:00Z");
      other.replace(other.find("fake-access"), 11, "fake-other");
      home_.Write(std::string(".aws/sso/cache/") + kSessionFile, other);
      return {400, R"({"error":"invalid_grant"})"};
    }
    used = request.headers.at("x-amz-sso_bearer_token");
    return {200, kRole};
  });
  OpenAt(server.Url(), kSession);
  EXPECT_EQ(Ask(), kSsoKeys);
  EXPECT_EQ(used, "fake-other");
}

// No file can grow meanwhile, as on a disk that is full or a home that is read-only.
class NoRoomInFiles {
 public:
  NoRoomInFiles() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoRoomInFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }
  NoRoomInFiles(const NoRoomInFiles&) = delete;
  NoRoomInFiles& operator=(const NoRoomInFiles&) = delete;

 private:
  rlimit before_{};
};

TEST_F(SsoSource, KeepsARefreshedTokenInMemoryWhereItCannotBeWritten) {
  const std::string before = Token("2026-01-01T00:00:00Z");
  WriteToken(kSessionFile, before);
  const test::ScriptedServer server({{200, kNewToken}, {200, kRole}});
  OpenAt(server.Url(), kSession);
  {
    const NoRoomInFiles no_room;
    EXPECT_EQ(Ask(), kSsoKeys);
  }
  ASSERT_EQ(log_.size(), 1);
  EXPECT_THAT(log_[0], HasSubstr("is kept in memory alone: "));
  EXPECT_EQ(ReadToken(), before);
  EXPECT_EQ(Ask(), kSsoKeys);  // without another refresh
  ASSERT_EQ(server.seen().size(), 3);
  EXPECT_EQ(server.seen()[2].headers.at("x-amz-sso_bearer_token"), "fake-new");
  EXPECT_THAT(Held(), testing::UnorderedElementsAre("fake-new", "fake-next", "fake-client"));
}

TEST_F(SsoSource, SaysHowToLogInWhereThereIsNoToken) {
  const test::ScriptedServer server({{200, kRole}});
  OpenAt(server.Url(), kSession);
  const auto missing = Get();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(missing.error().reason(), HasSubstr(kSessionFile));
  EXPECT_EQ(missing.error().cure(), "run `aws sso login --profile app`");
  for (const char* const text : {"", "{", "{}", R"({"accessToken":"fake-access"})"}) {
    WriteToken(kSessionFile, text);
    const auto broken = Get();
    ASSERT_FALSE(broken) << text;
    EXPECT_EQ(broken.error().code(), ErrorCode::kBadData);
    EXPECT_EQ(broken.error().cure(), "run `aws sso login --profile app`");
  }
  EXPECT_THAT(server.Lines(), IsEmpty());
}

TEST_F(SsoSource, SaysHowToLogInWhereThePortalDoesNotKnowTheToken) {
  WriteToken(kSessionFile, Token("2026-01-01T08:00:00Z"));
  settings_.most_attempts = 3;
  const test::ScriptedServer server(
      {{401, R"({"message":"Session token not found or invalid","__type":"x"})"}});
  OpenAt(server.Url(), kSession);
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kNotPermitted);
  EXPECT_EQ(offer.error().cure(), "run `aws sso login --profile app`");
  EXPECT_EQ(server.seen().size(), 1);
}

TEST_F(SsoSource, PassesOtherErrorsOfThePortalOn) {
  WriteToken(kSessionFile, Token("2026-01-01T08:00:00Z"));
  const test::ScriptedServer server({{500, R"({"message":"failed on fake-access"})"}});
  OpenAt(server.Url(), kSession);
  EXPECT_THAT(Ask(), AllOf(HasSubstr("sso:GetRoleCredentials"), HasSubstr("failed on ***")));
}

TEST_F(SsoSource, NamesWhatIsToBeCorrectedWhereTheRoleIsNotAssigned) {
  WriteToken(kSessionFile, Token("2026-01-01T08:00:00Z"));
  const test::ScriptedServer server(
      {{403, R"({"message":"No access","__type":"ForbiddenException"})"}});
  OpenAt(server.Url(), kSession);
  const auto offer = Get();
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().code(), ErrorCode::kNotPermitted);
  EXPECT_THAT(offer.error().reason(), HasSubstr("ForbiddenException: No access"));
  const std::string config = home_.Path(".aws/config");
  EXPECT_THAT(offer.error().cure(), HasSubstr("sso_account_id in " + config + ":"));
  EXPECT_THAT(offer.error().cure(), HasSubstr("sso_role_name in " + config + ":"));
}

TEST_F(SsoSource, RefusesARegionThatIsNone) {
  EXPECT_EQ(ErrorWith("[profile app]\nsso_role_name = r\nsso_account_id = 1\n"
                      "sso_session = dev\n[sso-session dev]\nsso_region = EU west\n"
                      "sso_start_url = u\n"),
            "sso_region in " + home_.Path(".aws/config") + ":6 is not the name of a region");
}

TEST_F(SsoSource, TakesAPageForAFailureThatPasses) {
  WriteToken(kSessionFile, Token("2026-01-01T08:00:00Z"));
  for (const int status : {200, 401, 403}) {
    const test::ScriptedServer server({{status, "<html>Sign in</html>"}});
    OpenAt(server.Url(), kSession);
    const auto offer = Get();
    ASSERT_FALSE(offer) << status;
    EXPECT_EQ(offer.error().code(), ErrorCode::kUnavailable) << status;
  }
}

TEST_F(SsoSource, NamesWhatIsMissing) {
  EXPECT_THAT(ErrorWith("[profile app]\nsso_account_id = 1\n"),
              HasSubstr("the profile app is one for SSO and has no sso_start_url, sso_region, "
                        "sso_role_name"));
  EXPECT_THAT(ErrorWith("[profile app]\nsso_role_name = r\nsso_account_id = 1\n"
                        "sso_session = dev\n[sso-session dev]\nsso_region = x\n"),
              HasSubstr("with the sso-session dev is one for SSO and has no sso_start_url"));
  // botocore's token provider reads these of the session alone.
  EXPECT_THAT(ErrorWith("[profile app]\nsso_role_name = r\nsso_account_id = 1\nsso_region = x\n"
                        "sso_start_url = u\nsso_session = dev\n[sso-session dev]\nother = x\n"),
              HasSubstr("has no sso_start_url, sso_region"));
}

TEST_F(SsoSource, NamesTheSessionThatIsMissing) {
  EXPECT_THAT(ErrorWith("[profile app]\nsso_role_name = r\nsso_session = dev\n"),
              HasSubstr("sso_session in " + home_.Path(".aws/config") +
                        ":3 names dev, and there is no section [sso-session dev]"));
}

TEST_F(SsoSource, RefusesAValueThatDiffersFromTheSessions) {
  EXPECT_THAT(
      ErrorWith("[profile app]\nsso_role_name = r\nsso_account_id = 1\nsso_region = x\n"
                "sso_session = dev\n[sso-session dev]\nsso_region = y\nsso_start_url = u\n"),
      HasSubstr("sso_region in " + home_.Path(".aws/config") + ":4 differs"));
}

TEST_F(SsoSource, TakesTheRoleOfTheSessionToo) {
  WriteToken(kSessionFile, Token("2026-01-01T08:00:00Z"));
  const test::ScriptedServer server({{200, kRole}});
  OpenAt(server.Url(),
         "[profile app]\nsso_role_name = r\nsso_session = dev\n[sso-session dev]\n"
         "sso_region = x\nsso_start_url = u\nsso_account_id = 123456789012\n");
  EXPECT_EQ(Ask(), kSsoKeys);
}

class PublishedSsoCase : public SsoSource,
                         public testing::WithParamInterface<std::pair<std::string, std::string>> {
 protected:
  void CopyHome(const std::filesystem::path& from) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(from)) {
      const std::string name = entry.path().lexically_relative(from).string();
      if (entry.is_directory()) {
        std::filesystem::create_directory(home_.Path(name));
      } else {
        home_.Write(name, test::ReadText(entry.path().string()));
      }
    }
  }
};

// Recorded of the Rust SDK, which writes the query in another order in some.
TEST_P(PublishedSsoCase, EndsAsItDid) {
  const auto [name, outcome] = GetParam();
  const auto found = test::FindVectors("aws_credentials/" + name);
  if (!found) GTEST_SKIP() << test::kNoVectors;
  const auto environment =
      core::JsonDocument::Parse(test::ReadText(*found + "/env.json"), "env.json");
  ASSERT_TRUE(environment);
  CopyHome(*found + "/fs/home");
  const test::Traffic traffic = test::ReadTraffic(*found);
  const test::ScriptedServer server(traffic.answers.empty() ? std::vector<test::LocalAnswer>{{500}}
                                                            : traffic.answers);
  settings_.endpoints[Service::kSso] = {server.Url(), "AWS_ENDPOINT_URL_SSO"};
  const std::string profile((*environment)["AWS_PROFILE"].Text().value_or("default"));
  Set("AWS_PROFILE", profile);
  Open([&](const SourceContext& context) { return MakeSsoSource(context, profile); });
  EXPECT_THAT(Ask(), StartsWith(outcome));
  EXPECT_EQ(server.seen().size(), traffic.requests.size());
}

INSTANTIATE_TEST_SUITE_P(Aws, PublishedSsoCase,
                         testing::Values(
                             std::pair<std::string, std::string>{
                                 "default-credential-provider-chain/sso_assume_role",
                                 "ASIARCORRECT secretkeycorrect tokencorrect 123456789"},
                             std::pair<std::string, std::string>{
                                 "default-credential-provider-chain/sso_no_token_file", "error: "},
                             std::pair<std::string, std::string>{
                                 "default-credential-provider-chain/sso_server_error", "error: "},
                             std::pair<std::string, std::string>{
                                 "profile-provider/sso_credentials",
                                 "ASIARTESTID TESTSECRETKEY TESTSESSIONTOKEN 012345678901"}));

}  // namespace
}  // namespace qarion::secrets::aws
