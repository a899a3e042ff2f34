#include "providers/gcp_sm/secret_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qarion::secrets::gcp_sm {
namespace {

using testing::HasSubstr;

// "project|location|secret|version", or the problem.
std::string Parsed(std::string_view text) {
  const auto name = ParseSecretName(text, "GCP_SECRET_NAME");
  if (name) {
    return name->project + "|" + name->location + "|" + name->secret + "|" + name->version;
  }
  EXPECT_EQ(name.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(name.error().reason(), testing::StartsWith("GCP_SECRET_NAME "));
  EXPECT_THAT(name.error().cure(), HasSubstr("projects/PROJECT/secrets/ID"));
  return name.error().reason();
}

// The forms of the API's reference: projects.secrets.versions, projects.locations.secrets.versions.
TEST(SecretNameTest, IsAnIdOrTheNameOfAResource) {
  EXPECT_EQ(Parsed("app-db"), "||app-db|");
  EXPECT_EQ(Parsed("projects/my-project/secrets/app_DB"), "my-project||app_DB|");
  EXPECT_EQ(Parsed("projects/123/secrets/s/versions/7"), "123||s|7");
  EXPECT_EQ(Parsed("projects/p/secrets/s/versions/latest"), "p||s|latest");
  EXPECT_EQ(Parsed("projects/p/locations/europe-west3/secrets/s"), "p|europe-west3|s|");
  EXPECT_EQ(Parsed("projects/p/locations/l/secrets/s/versions/a_1"), "p|l|s|a_1");
  EXPECT_EQ(Parsed("projects/example.com:p/secrets/s"), "example.com:p||s|");
  EXPECT_EQ(Parsed("//secretmanager.googleapis.com/projects/p/secrets/s"), "p||s|");
  EXPECT_EQ(Parsed(std::string(255, 'x')), "||" + std::string(255, 'x') + "|");
}

TEST(SecretNameTest, IsNothingElse) {
  for (const char* const text :
       {"", "a b", "a.b", "k\xc3\xa4se", "a%2Fb", "a:b", "a\nb", "..", "*"}) {
    EXPECT_THAT(Parsed(text), HasSubstr("is not the id of a secret")) << text;
  }
  EXPECT_THAT(Parsed(std::string(256, 'x')), HasSubstr("is not the id of a secret"));
  for (const char* const text : {"a/b",
                                 "/",
                                 "/app-db",
                                 "app-db/",
                                 "projects/p",
                                 "projects/p/secrets",
                                 "projects/p/secrets/",
                                 "projects//secrets/s",
                                 "projects/p/secrets/s/",
                                 "projects/p/secrets/s/versions",
                                 "projects/p/secrets/s/versions/1/2",
                                 "projects/p/secrets/s/versions/1:access",
                                 "projects/../secrets/s",
                                 "projects/p/locations/secrets/s",
                                 "projects/p/locations//secrets/s",
                                 "locations/l/secrets/s",
                                 "secrets/s",
                                 "projects/p/secrets/s?x",
                                 "projects/p/secrets/s/../t",
                                 "https://secretmanager.googleapis.com/v1/projects/p/secrets/s",
                                 "//secretmanager.googleapis.com/s",
                                 "//other.googleapis.com/projects/p/secrets/s"}) {
    EXPECT_THAT(Parsed(text), HasSubstr(" ")) << text;
  }
}

TEST(SecretNameTest, IsWrittenAsTheApiHasIt) {
  const SecretName global{.project = "p", .location = {}, .secret = "s", .version = "1"};
  EXPECT_EQ(global.Resource(), "projects/p/secrets/s");
  EXPECT_EQ(global.Flags(), " --project=p");
  const SecretName regional{.project = "p", .location = "l", .secret = "s", .version = "1"};
  EXPECT_EQ(regional.Resource(), "projects/p/locations/l/secrets/s");
  EXPECT_EQ(regional.Flags(), " --project=p --location=l");
}

TEST(SecretNameTest, HasVersionsThatAreNumbersOrAliases) {
  for (const char* const version :
       {"1", "42", "999999999999999999", "latest", "prod", "a-1_b", "Z"}) {
    EXPECT_TRUE(IsVersion(version)) << version;
  }
  for (const char* const version :
       {"", "0", "01", "1a", "1.0", "a b", "a/b", "-1", "_a", "-a", "+1"}) {
    EXPECT_FALSE(IsVersion(version)) << version;
  }
  EXPECT_TRUE(IsVersion(std::string(63, 'a')));
  EXPECT_FALSE(IsVersion(std::string(64, 'a')));
}

}  // namespace
}  // namespace qarion::secrets::gcp_sm
