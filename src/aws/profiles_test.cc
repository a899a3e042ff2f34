// Expected profiles are those of botocore 1.44.5 (Session.full_config), which
// tests/aws_files_differential compares on many more files.
#include "aws/profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/aws_variables.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::aws {
namespace {

using test::Given;
using test::VariablesOf;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class ProfilesTest : public testing::Test {
 protected:
  Result<Profiles> Load(const std::string& config, const std::string& credentials = "",
                        Given given = {}) {
    given["AWS_CONFIG_FILE"] = directory_.Write("config", config);
    given["AWS_SHARED_CREDENTIALS_FILE"] = directory_.Write("credentials", credentials);
    return Profiles::Load(VariablesOf(given));
  }

  test::TemporaryDirectory directory_;
};

std::string Value(const std::optional<Profile>& profile, std::string_view name) {
  return profile ? profile->Text(name) : "(no profile)";
}

TEST_F(ProfilesTest, FindsProfilesByTheirNameInEitherFile) {
  const auto profiles = Load(
      "[default]\nregion=1\n[profile dev]\nregion=2\n[profile 'a b']\nregion=3\n[other]\nx=y\n"
      "[profile too many words]\n[profile \"open]\n",
      "[plain]\naws_access_key_id=4\n[profile dev]\nregion=5\n");
  ASSERT_TRUE(profiles) << profiles.error().reason();
  EXPECT_EQ(Value(profiles->Find("default"), "region"), "1");
  EXPECT_EQ(Value(profiles->Find("dev"), "region"), "2");
  EXPECT_EQ(Value(profiles->Find("a b"), "region"), "3");
  EXPECT_EQ(Value(profiles->Find("plain"), "aws_access_key_id"), "4");
  // In the credentials file a section is named as the profile is.
  EXPECT_EQ(Value(profiles->Find("profile dev"), "region"), "5");
  EXPECT_THAT(profiles->Names(), ElementsAre("a b", "default", "dev", "plain", "profile dev"));
}

TEST_F(ProfilesTest, PrefersValuesOfTheCredentialsFile) {
  const auto profiles = Load("[profile dev]\nregion=1\noutput=json\n", "[dev]\nregion=2\n");
  ASSERT_TRUE(profiles);
  const auto dev = profiles->Find("dev");
  EXPECT_EQ(Value(dev, "region"), "2");
  EXPECT_EQ(dev->Find("region")->where, directory_.Path("credentials") + ":2");
  EXPECT_EQ(dev->Find("output")->where, directory_.Path("config") + ":3");
  EXPECT_EQ(dev->Find("none"), std::nullopt);
  EXPECT_EQ(Value(profiles->InConfigFile("dev"), "region"), "1");
  EXPECT_EQ(Value(profiles->InCredentialsFile("dev"), "output"), "");
}

TEST_F(ProfilesTest, TakesTheLastSectionOfAName) {
  const auto profiles = Load("[profile dev]\na=1\n[profile 'dev']\nb=2\n");
  ASSERT_TRUE(profiles);
  EXPECT_EQ(Value(profiles->Find("dev"), "a"), "");
  EXPECT_EQ(Value(profiles->Find("dev"), "b"), "2");
}

TEST_F(ProfilesTest, FindsSsoSessionsAndServices) {
  const auto profiles = Load(
      "[sso-session corp]\nsso_region=1\n[services local]\nsts =\n  endpoint_url = http://x\n");
  ASSERT_TRUE(profiles);
  EXPECT_EQ(Value(profiles->SsoSession("corp"), "sso_region"), "1");
  EXPECT_EQ(profiles->SsoSession("local"), std::nullopt);
  const auto services = profiles->Services("local");
  ASSERT_TRUE(services);
  EXPECT_EQ(services->Find("sts")->entry->nested.front().value.Reveal(), "http://x");
  EXPECT_EQ(profiles->Find("corp"), std::nullopt);
}

TEST_F(ProfilesTest, TakesTheProfileThatAVariableNamesTheOlderFirst) {
  const std::string config = "[profile one]\n[profile two]\n";
  EXPECT_EQ(Load(config)->current(), "default");
  EXPECT_EQ(Load(config)->current_setting(), "");
  EXPECT_EQ(Load(config, "", {{"AWS_PROFILE", "one"}})->current(), "one");
  const auto both = Load(config, "", {{"AWS_PROFILE", "one"}, {"AWS_DEFAULT_PROFILE", "two"}});
  EXPECT_EQ(both->current(), "two");
  EXPECT_EQ(both->current_setting(), "AWS_DEFAULT_PROFILE");
  EXPECT_EQ(Load(config, "", {{"AWS_PROFILE", "one"}, {"AWS_DEFAULT_PROFILE", ""}})->current(),
            "one");
}

TEST_F(ProfilesTest, RefusesAProfileThatDoesNotExist) {
  const auto profiles = Load("[profile staging]\n", "[prod]\n", {{"AWS_PROFILE", "stagging"}});
  ASSERT_FALSE(profiles);
  EXPECT_EQ(profiles.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(profiles.error().reason(),
              AllOf(HasSubstr("AWS_PROFILE names the profile 'stagging'"),
                    HasSubstr("known profiles: prod, staging")));
  EXPECT_EQ(profiles.error().cure(), "did you mean 'staging'?");
  EXPECT_FALSE(Load("", "", {{"AWS_PROFILE", "default"}}));
}

TEST_F(ProfilesTest, TakesWhatDoesNotExistForEmpty) {
  for (const std::string path : {"/dev/null", "", "/no/such/file", "/etc/passwd/config"}) {
    const auto profiles = Profiles::Load(
        VariablesOf({{"AWS_CONFIG_FILE", path}, {"AWS_SHARED_CREDENTIALS_FILE", path}}));
    ASSERT_TRUE(profiles) << path << profiles.error().reason();
    EXPECT_TRUE(profiles->Names().empty());
  }
}

TEST_F(ProfilesTest, LooksIntoTheHomeDirectory) {
  ASSERT_EQ(mkdir(directory_.Path(".aws").c_str(), 0700), 0);
  directory_.Write(".aws/config", "[default]\na=1\n");
  directory_.Write(".aws/credentials", "[default]\nb=2\n");
  const auto profiles = Profiles::Load(VariablesOf({{"HOME", directory_.path()}}));
  ASSERT_TRUE(profiles);
  EXPECT_EQ(Value(profiles->Find("default"), "a"), "1");
  EXPECT_EQ(Value(profiles->Find("default"), "b"), "2");
  EXPECT_EQ(profiles->config_path(), directory_.Path(".aws/config"));
}

TEST_F(ProfilesTest, RefusesAFileThatCannotBeRead) {
  const auto directory = Profiles::Load(VariablesOf({{"AWS_CONFIG_FILE", directory_.path()}}));
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().reason(), HasSubstr("AWS_CONFIG_FILE"));
  EXPECT_FALSE(Load("[a]\nfake", ""));
  const auto broken = Load("", "[a]\naws_secret_access_key fake-key");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().reason(),
              AllOf(HasSubstr(directory_.Path("credentials") + ":2"), Not(HasSubstr("fake"))));

  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  Given given{{"AWS_CONFIG_FILE", directory_.Write("locked", "", 0)}};
  const auto locked = Profiles::Load(VariablesOf(given));
  ASSERT_FALSE(locked);
  EXPECT_THAT(locked.error().reason(), HasSubstr("Permission denied"));
}

TEST_F(ProfilesTest, ForgivesAHomeDirectoryThatIsSomebodyElses) {
  if (geteuid() == 0) GTEST_SKIP() << "root may look everywhere";
  ASSERT_EQ(mkdir(directory_.Path("other").c_str(), 0), 0);
  EXPECT_TRUE(Profiles::Load(VariablesOf({{"HOME", directory_.Path("other")}})));
  EXPECT_FALSE(Profiles::Load(VariablesOf({{"AWS_CONFIG_FILE", directory_.Path("other/config")}})));
  chmod(directory_.Path("other").c_str(), 0700);  // so that it can be removed
}

TEST_F(ProfilesTest, NamesWhatTheScrubberHasToHide) {
  const auto profiles =
      Load("[profile dev]\naws_access_key_id=AKIDFAKE\naws_secret_access_key=fake-key\n",
           "[dev]\naws_session_token=fake-token\n[b]\naws_security_token=fake-old\nregion=x\n");
  std::vector<std::string> texts;
  for (const Secret& credential : profiles->Credentials()) {
    texts.emplace_back(credential.Reveal());
  }
  EXPECT_THAT(texts, UnorderedElementsAre("fake-key", "fake-token", "fake-old"));
}

using Words = std::vector<std::string>;

// As shlex.split of Python 3.11.

}  // namespace
}  // namespace qarion::secrets::aws
