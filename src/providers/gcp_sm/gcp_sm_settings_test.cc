#include "providers/gcp_sm/gcp_sm_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::gcp_sm {
namespace {

using testing::HasSubstr;
using Given = std::map<std::string, std::string>;

constexpr char kUser[] = R"({"type": "authorized_user", "client_id": "id",
  "client_secret": "fake-client-secret", "refresh_token": "fake-refresh"})";

Result<GcpSmSettings> Load(Given given) {
  given.try_emplace("HOME", "/nonexistent");
  return LoadGcpSmSettings([&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  });
}

// "resource version from setting"
std::string NameBy(const Given& given) {
  const auto settings = Load(given);
  if (!settings) return settings.error().reason();
  return settings->name.Resource() + " " + settings->name.version + " from " +
         settings->project_setting;
}

void ExpectRefused(const Given& given, const std::string& setting, const std::string& problem) {
  const auto settings = Load(given);
  ASSERT_FALSE(settings) << setting;
  EXPECT_EQ(settings.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(settings.error().reason(), testing::StartsWith(setting + " "));
  EXPECT_THAT(settings.error().reason(), HasSubstr(problem));
  EXPECT_NE(settings.error().cure(), "");
}

TEST(GcpSmSettingsTest, HaveDefaults) {
  const auto settings = Load({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->name.project, "");
  EXPECT_EQ(settings->name.secret, "qarion-secrets");
  EXPECT_EQ(settings->name.version, "latest");
  EXPECT_FALSE(settings->falls_back);
  EXPECT_EQ(settings->endpoint, "");
  EXPECT_FALSE(settings->session.file);
}

TEST(GcpSmSettingsTest, SayWhichSecret) {
  EXPECT_EQ(NameBy({{"GCP_SECRET_PROJECT", "p"}}),
            "projects/p/secrets/qarion-secrets latest from GCP_SECRET_PROJECT");
  EXPECT_EQ(NameBy({{"GCP_SECRET_PROJECT", "p"},
                    {"GCP_SECRET_NAME", "s"},
                    {"GCP_SECRET_VERSION", "3"},
                    {"GCP_SECRET_LOCATION", "europe-west3"}}),
            "projects/p/locations/europe-west3/secrets/s 3 from GCP_SECRET_PROJECT");
  EXPECT_EQ(NameBy({{"GCP_SECRET_NAME", "projects/p/secrets/s/versions/4"}}),
            "projects/p/secrets/s 4 from GCP_SECRET_NAME");
  // Both may say the same; a number and an id may be of one project.
  EXPECT_EQ(NameBy({{"GCP_SECRET_NAME", "projects/p/locations/l/secrets/s/versions/4"},
                    {"GCP_SECRET_PROJECT", "123"},
                    {"GCP_SECRET_LOCATION", "l"},
                    {"GCP_SECRET_VERSION", "4"}}),
            "projects/p/locations/l/secrets/s 4 from GCP_SECRET_NAME");
  EXPECT_EQ(
      NameBy({{"GCP_SECRET_NAME", "projects/123/secrets/s"}, {"GCP_SECRET_PROJECT", "my-project"}}),
      "projects/my-project/secrets/s latest from GCP_SECRET_PROJECT");
}

TEST(GcpSmSettingsTest, KeepTheNumberOfAProjectThatIsNamedTwice) {
  const auto number_by = [](const char* name, const char* project) {
    const auto settings = Load({{"GCP_SECRET_NAME", name}, {"GCP_SECRET_PROJECT", project}});
    return settings ? settings->name.project_number : settings.error().reason();
  };
  EXPECT_EQ(number_by("projects/p/secrets/s", "123"), "123");
  EXPECT_EQ(number_by("projects/123/secrets/s", "p"), "123");
  EXPECT_EQ(number_by("projects/p/secrets/s", "p"), "");
  EXPECT_EQ(number_by("s", "123"), "");
}

TEST(GcpSmSettingsTest, ContradictNoOther) {
  const std::string global = "projects/p/secrets/s";
  ExpectRefused({{"GCP_SECRET_NAME", global}, {"GCP_SECRET_PROJECT", "q"}}, "GCP_SECRET_PROJECT",
                "is q, and GCP_SECRET_NAME names p");
  ExpectRefused({{"GCP_SECRET_NAME", "projects/1/secrets/s"}, {"GCP_SECRET_PROJECT", "2"}},
                "GCP_SECRET_PROJECT", "is 2, and GCP_SECRET_NAME names 1");
  ExpectRefused({{"GCP_SECRET_NAME", global}, {"GCP_SECRET_LOCATION", "l"}}, "GCP_SECRET_LOCATION",
                "a global secret");
  ExpectRefused(
      {{"GCP_SECRET_NAME", "projects/p/locations/l/secrets/s"}, {"GCP_SECRET_LOCATION", "m"}},
      "GCP_SECRET_LOCATION", "is m, and GCP_SECRET_NAME names l");
  ExpectRefused({{"GCP_SECRET_NAME", global + "/versions/1"}, {"GCP_SECRET_VERSION", "2"}},
                "GCP_SECRET_VERSION", "is 2, and GCP_SECRET_NAME names 1");
}

TEST(GcpSmSettingsTest, AreRefusedWhereTheyAreMalformed) {
  ExpectRefused({{"GCP_SECRET_NAME", "a b"}}, "GCP_SECRET_NAME", "is not the id");
  ExpectRefused({{"GCP_SECRET_PROJECT", "a/b"}}, "GCP_SECRET_PROJECT", "neither the id");
  ExpectRefused({{"GCP_SECRET_LOCATION", "a.b"}}, "GCP_SECRET_LOCATION", "is no location");
  ExpectRefused({{"GCP_SECRET_VERSION", "1.0"}}, "GCP_SECRET_VERSION", "neither a number");
}

TEST(GcpSmSettingsTest, MayNameAnotherEndpoint) {
  for (const char* const url : {"https://secretmanager-x.p.googleapis.com", "http://127.0.0.1:8080",
                                "http://localhost:1/path"}) {
    const auto settings = Load({{"GCP_SECRET_ENDPOINT", std::string(url) + "/"}});
    ASSERT_TRUE(settings) << url;
    EXPECT_EQ(settings->endpoint, url);
  }
  for (const char* const url : {"secretmanager.googleapis.com", "ftp://x", "https://a:fake@x",
                                "https://x?fake", "https://x?", "https://x/?"}) {
    ExpectRefused({{"GCP_SECRET_ENDPOINT", url}}, "GCP_SECRET_ENDPOINT", "is not a URL");
  }
  ExpectRefused({{"GCP_SECRET_ENDPOINT", "https://x/v1/"}}, "GCP_SECRET_ENDPOINT", "version");
  ExpectRefused({{"GCP_SECRET_ENDPOINT", "http://10.0.0.1"}}, "GCP_SECRET_ENDPOINT",
                "is not https");
}

TEST(GcpSmSettingsTest, MayFallBackFromLatestAlone) {
  EXPECT_TRUE(Load({{"GCP_SECRET_VERSION_FALLBACK", "previous"}})->falls_back);
  EXPECT_FALSE(Load({{"GCP_SECRET_VERSION_FALLBACK", "none"}})->falls_back);
  ExpectRefused({{"GCP_SECRET_VERSION_FALLBACK", "yes"}}, "GCP_SECRET_VERSION_FALLBACK",
                "is not previous");
  ExpectRefused({{"GCP_SECRET_VERSION_FALLBACK", "previous"}, {"GCP_SECRET_VERSION", "2"}},
                "GCP_SECRET_VERSION_FALLBACK", "asked for is 2");
}

TEST(GcpSmSettingsTest, TakeTheFileWithCredentials) {
  const test::TemporaryDirectory directory;
  const std::string named = directory.Write("named.json", kUser);
  const auto settings = Load({{"GOOGLE_APPLICATION_CREDENTIALS", named}});
  ASSERT_TRUE(settings);
  ASSERT_TRUE(settings->session.file);
  std::vector<std::string> secrets;
  for (const Secret& secret : settings->session.Credentials()) {
    secrets.emplace_back(secret.Reveal());
  }
  EXPECT_THAT(secrets, testing::UnorderedElementsAre("fake-client-secret", "fake-refresh"));
  // gcloud's own counts where none is named, and empty is as good as not set.
  directory.Write("application_default_credentials.json", kUser);
  const auto well_known =
      Load({{"CLOUDSDK_CONFIG", directory.path()}, {"GOOGLE_APPLICATION_CREDENTIALS", ""}});
  ASSERT_TRUE(well_known);
  EXPECT_EQ(well_known->session.client.credential_file.setting, "CLOUDSDK_CONFIG");
  EXPECT_TRUE(well_known->session.file);
}

// What is set and cannot be used is never passed over, also where another would do.
TEST(GcpSmSettingsTest, RefuseAFileThatCannotBeUsed) {
  const test::TemporaryDirectory directory;
  directory.Write("application_default_credentials.json", kUser);
  const std::pair<std::string, ErrorCode> files[] = {
      {"/nonexistent/fake.json", ErrorCode::kConfiguration},
      {directory.path(), ErrorCode::kConfiguration},
      {directory.Write("empty", ""), ErrorCode::kBadData},
      {directory.Write("text", "-----BEGIN"), ErrorCode::kBadData},
      {directory.Write("long", std::string(10'000'000, ' ')), ErrorCode::kBadData}};
  for (const auto& [path, code] : files) {
    const auto settings =
        Load({{"CLOUDSDK_CONFIG", directory.path()}, {"GOOGLE_APPLICATION_CREDENTIALS", path}});
    ASSERT_FALSE(settings) << path;
    EXPECT_EQ(settings.error().code(), code) << path;
    EXPECT_THAT(settings.error().reason(), HasSubstr(path));
  }
}

}  // namespace
}  // namespace qarion::secrets::gcp_sm
