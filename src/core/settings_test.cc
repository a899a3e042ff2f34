#include "core/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.h"

namespace qarion::secrets::core {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SettingsTest : public testing::Test {
 protected:
  Result<Settings> Load(std::map<std::string, std::string> options = {}) {
    return Settings::Load(environment_, std::move(options));
  }
  void UseEnvFile(std::string_view text) {
    environment_.Set("SECRETS_ENV_FILE", directory_.Write("env", text));
  }

  test::TemporaryDirectory directory_;
  MapEnvironment environment_;
};

TEST_F(SettingsTest, PrefersOptionsThenEnvironmentThenEnvFile) {
  UseEnvFile("A=file\nB=file\nC=file\n");
  environment_.Set("A", "process");
  environment_.Set("B", "process");
  auto settings = Load({{"A", "option"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->Find("A")->text, "option");
  EXPECT_EQ(settings->Find("A")->source, "option");
  EXPECT_EQ(settings->Find("B")->text, "process");
  EXPECT_EQ(settings->Find("B")->source, "process environment");
  EXPECT_EQ(settings->Find("C")->text, "file");
  EXPECT_EQ(settings->Find("C")->source, directory_.Path("env") + ":3");
  EXPECT_FALSE(settings->Find("D"));
}

TEST_F(SettingsTest, ReadsSecondsInTheirRange) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("TTL", "86400");
  auto settings = Load();
  ASSERT_TRUE(settings);
  using std::chrono::seconds;
  EXPECT_EQ(*settings->Seconds("TTL", seconds(300), seconds(86400)), seconds(86400));
  EXPECT_EQ(*settings->Seconds("OTHER", seconds(300), seconds(86400)), seconds(300));
  EXPECT_FALSE(settings->Seconds("TTL", seconds(300), seconds(86399)));
}

TEST_F(SettingsTest, DoesNotShowAMalformedValueThatCouldBeASecret) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("TTL", "Fake-Secret-In-The-Wrong-Place");
  auto settings = Load();
  ASSERT_TRUE(settings);
  const auto seconds = settings->Seconds("TTL", std::chrono::seconds(1), std::chrono::seconds(2));
  ASSERT_FALSE(seconds);
  EXPECT_THAT(seconds.error().reason(), AllOf(HasSubstr("TTL"), Not(HasSubstr("Fake-Secret"))));
}

TEST_F(SettingsTest, RefusesEmptyAndUnprintableText) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("EMPTY", "");
  environment_.Set("LINES", "a\nb");
  environment_.Set("BYTES", "\xff");
  auto settings = Load();
  ASSERT_TRUE(settings);
  for (const char* name : {"EMPTY", "LINES", "BYTES"}) {
    const auto text = settings->Text(name, "");
    ASSERT_FALSE(text) << name;
    EXPECT_THAT(text.error().reason(), HasSubstr(name));
    EXPECT_EQ(text.error().code(), ErrorCode::kConfiguration);
  }
}

TEST_F(SettingsTest, SplitsListsAtCommas) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("LIST", "A, B ,C_*");
  environment_.Set("GAP", "A,,B");
  environment_.Set("EMPTY", "");
  auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_THAT(*settings->List("LIST"), ElementsAre("A", "B", "C_*"));
  EXPECT_THAT(*settings->List("NONE"), ElementsAre());
  EXPECT_FALSE(settings->List("GAP"));
  EXPECT_FALSE(settings->List("EMPTY"));
}

TEST_F(SettingsTest, IgnoresAnEnvFileNamedInTheEnvFile) {
  UseEnvFile("SECRETS_ENV_FILE=/elsewhere\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->Find("SECRETS_ENV_FILE")->text, directory_.Path("env"));
}

TEST_F(SettingsTest, WantsAnEnvFileThatIsNamedButNotTheDefaultOne) {
  environment_.Set("SECRETS_ENV_FILE", directory_.Path("missing"));
  const auto named = Load();
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(named.error().reason(), AllOf(HasSubstr("SECRETS_ENV_FILE"), HasSubstr("missing")));

  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  environment_ = MapEnvironment();
  const bool loaded = Load().has_value();
  std::filesystem::current_path(before);
  EXPECT_TRUE(loaded);
}

TEST_F(SettingsTest, RefusesAnEmptyEnvFileName) {
  environment_.Set("SECRETS_ENV_FILE", "");
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().reason(), HasSubstr("SECRETS_ENV_FILE is empty"));
}

TEST_F(SettingsTest, RefusesADirectoryAndAFileThatIsTooLarge) {
  environment_.Set("SECRETS_ENV_FILE", directory_.path());
  const auto directory = Load();
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().reason(), HasSubstr("a directory"));

  UseEnvFile("#" + std::string(1024 * 1024, 'x'));
  const auto large = Load();
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().reason(), HasSubstr("larger than the limit of 1048576 bytes"));
}

TEST_F(SettingsTest, ReadsAPipeOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "A=fake\n", 7), 7);
  close(ends[1]);
  environment_.Set("SECRETS_ENV_FILE", "/dev/fd/" + std::to_string(ends[0]));
  auto settings = Load();
  close(ends[0]);
  ASSERT_TRUE(settings) << settings.error().reason();
  ASSERT_TRUE(settings->env_file()->Load(environment_));
  EXPECT_NE(settings->env_file()->contents().Find("A"), nullptr);
}

}  // namespace
}  // namespace qarion::secrets::core
