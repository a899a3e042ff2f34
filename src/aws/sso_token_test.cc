#include "aws/sso_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::seconds;
using Time = std::chrono::system_clock::time_point;
using testing::HasSubstr;

constexpr Time kNewYear{seconds(1767225600)};  // 2026-01-01T00:00:00Z

TEST(SsoTime, IsReadAsClientsWriteIt) {
  EXPECT_EQ(ParseSsoTime("2026-01-01T00:00:00Z"), kNewYear);
  EXPECT_EQ(ParseSsoTime("2026-01-01T00:00:00UTC"), kNewYear);  // before 2020
  EXPECT_EQ(ParseSsoTime("2026-01-01T02:00:00+02:00"), kNewYear);
  EXPECT_EQ(ParseSsoTime("2026-01-01T00:00:00.250Z"), kNewYear + std::chrono::milliseconds(250));
  EXPECT_FALSE(ParseSsoTime("UTC"));
  EXPECT_FALSE(ParseSsoTime("2026-01-01"));
  EXPECT_FALSE(ParseSsoTime("2026-01-01T00:00:00"));
}

TEST(SsoToken, NeedsATokenAndATime) {
  EXPECT_TRUE(ParseSsoToken(R"({"accessToken":"fake","expiresAt":"2026-01-01T00:00:00Z"})", "f"));
  const std::pair<const char*, const char*> bad[] = {
      {R"({"expiresAt":"2026-01-01T00:00:00Z"})", "accessToken"},
      {R"({"accessToken":"","expiresAt":"2026-01-01T00:00:00Z"})", "accessToken"},
      {R"({"accessToken":"fake\n","expiresAt":"2026-01-01T00:00:00Z"})", "accessToken"},
      {R"({"accessToken":" ","expiresAt":"2026-01-01T00:00:00Z"})", "accessToken"},
      {R"({"accessToken":7,"expiresAt":"2026-01-01T00:00:00Z"})", "accessToken"},
      {R"({"accessToken":"fake"})", "expiresAt"},
      {R"({"accessToken":"fake","expiresAt":"soon"})", "expiresAt"},
      {"[]", "accessToken"},
      {"{", ""}};
  for (const auto& [text, member] : bad) {
    const auto token = ParseSsoToken(text, "/x/file.json");
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(token.error().reason(), HasSubstr(member));
    EXPECT_THAT(token.error().reason(), HasSubstr("/x/file.json"));
    EXPECT_THAT(token.error().reason(), testing::Not(HasSubstr("fake")));
  }
}

SsoToken FakeToken() {
  return {.access_token = Secret::CopyOf("fake-access"),
          .expires_at = kNewYear,
          .refresh_token = Secret::CopyOf("fake-refresh"),
          .client_id = "client",
          .client_secret = Secret::CopyOf("fake-secret"),
          .registration_expires_at = "2026-03-01T00:00:00Z"};
}

// The members that SSOTokenProvider._attempt_create_token of botocore keeps.
TEST(SsoToken, IsWrittenAsBotocoreWritesIt) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("token.json", "{}", 0644);
  ASSERT_TRUE(WriteSsoToken(path, FakeToken(), "https://start", "eu-west-1"));
  const auto json = core::JsonDocument::Parse(directory.Read("token.json"), path);
  ASSERT_TRUE(json);
  EXPECT_THAT(
      json->root().Names(),
      testing::UnorderedElementsAre("startUrl", "region", "accessToken", "expiresAt", "clientId",
                                    "clientSecret", "registrationExpiresAt", "refreshToken"));
  EXPECT_EQ((*json)["startUrl"].Text(), "https://start");
  EXPECT_EQ((*json)["region"].Text(), "eu-west-1");
  EXPECT_EQ((*json)["accessToken"].Text(), "fake-access");
  EXPECT_EQ((*json)["expiresAt"].Text(), "2026-01-01T00:00:00Z");
  EXPECT_EQ((*json)["clientId"].Text(), "client");
  EXPECT_EQ((*json)["clientSecret"].Text(), "fake-secret");
  EXPECT_EQ((*json)["registrationExpiresAt"].Text(), "2026-03-01T00:00:00Z");
  EXPECT_EQ((*json)["refreshToken"].Text(), "fake-refresh");
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  const std::filesystem::directory_iterator left(directory.path());
  EXPECT_EQ(std::distance(begin(left), end(left)), 1) << "a temporary file is left";
}

TEST(SsoToken, StaysTheUsersWhereRootRefreshesIt) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may write for others";
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("token.json", "{}", 0600);
  ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
  ASSERT_TRUE(WriteSsoToken(path, FakeToken(), "https://start", "eu-west-1"));
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 65534U);
  EXPECT_EQ(status.st_gid, 65534U);
}

TEST(SsoToken, IsWrittenToWhatASymbolicLinkNames) {
  const test::TemporaryDirectory directory;
  const std::string target = directory.Write("real.json", "{}");
  const std::string link = directory.Path("token.json");
  std::filesystem::create_symlink(target, link);
  ASSERT_TRUE(WriteSsoToken(link, FakeToken(), "https://start", "eu-west-1"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_THAT(directory.Read("real.json"), HasSubstr("fake-access"));
}

TEST(SsoToken, CannotBeWrittenWhereThereIsNoDirectory) {
  const Status written = WriteSsoToken("/nonexistent/token.json", FakeToken(), "", "");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::kIo);
  EXPECT_EQ(written.error().reason(),
            "/nonexistent/token.json cannot be replaced: No such file or directory");
}

Result<SsoToken> Refreshed(const std::string& answer) {
  const auto json = core::JsonDocument::Parse(answer, "answer");
  return RefreshedToken(json->root(), FakeToken(), kNewYear);
}

TEST(SsoToken, KeepsTheRegistrationWhenItIsRefreshed) {
  const auto token = Refreshed(R"({"accessToken":"fake-new","expiresIn":3600})");
  ASSERT_TRUE(token);
  EXPECT_EQ(token->access_token.Reveal(), "fake-new");
  EXPECT_EQ(token->expires_at, kNewYear + seconds(3600));
  EXPECT_EQ(token->client_secret.Reveal(), "fake-secret");
  EXPECT_EQ(token->registration_expires_at, "2026-03-01T00:00:00Z");
  EXPECT_TRUE(token->refresh_token.empty());  // the old one is used up
}

TEST(SsoToken, IsNotInEveryAnswer) {
  for (const char* const answer :
       {"{}", "[]", R"({"accessToken":"fake"})", R"({"accessToken":"fake","expiresIn":0})",
        R"({"accessToken":"fake","expiresIn":"1"})", R"({"expiresIn":3600})"}) {
    EXPECT_FALSE(Refreshed(answer)) << answer;
  }
  const auto longest = Refreshed(R"({"accessToken":"fake","expiresIn":9223372036854775807})");
  ASSERT_TRUE(longest);
  EXPECT_GT(longest->expires_at, kNewYear);
}

Result<Credentials> Role(const std::string& text) {
  const auto json = core::JsonDocument::Parse(text, "answer");
  return RoleCredentials(json->root());
}

TEST(RoleCredentials, EndAtATimeInMilliseconds) {
  const auto found = Role(R"({"accessKeyId":"ASIA","secretAccessKey":"fake-secret",
                              "sessionToken":"fake-session","expiration":1767225600250})");
  ASSERT_TRUE(found) << found.error().reason();
  EXPECT_EQ(found->expires_at, kNewYear + std::chrono::milliseconds(250));
}

TEST(RoleCredentials, AreComplete) {
  const std::string whole =
      R"({"accessKeyId":"ASIA","secretAccessKey":"fake-s","sessionToken":"fake-t","expiration":1})";
  ASSERT_TRUE(Role(whole));
  for (const std::string name : {"accessKeyId", "secretAccessKey", "sessionToken", "expiration"}) {
    std::string less = whole;
    less.replace(less.find(name), 1, "_");
    const auto found = Role(less);
    ASSERT_FALSE(found) << name;
    EXPECT_THAT(found.error().reason(), HasSubstr(name));
  }
  EXPECT_FALSE(Role("null"));
  for (const char* const time : {"0", "-1", "\"1\"", "9223372036854775807", "1.5"}) {
    std::string other = whole;
    other.replace(other.rfind('1'), 1, time);
    EXPECT_FALSE(Role(other)) << time;
  }
}

}  // namespace
}  // namespace qarion::secrets::aws
