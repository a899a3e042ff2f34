#include "core/settings.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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

  // Loads with the directory as the working directory.
  Result<Settings> LoadThere() {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(directory_.path());
    auto settings = Load();
    std::filesystem::current_path(before);
    return settings;
  }

  test::TemporaryDirectory directory_;
  MapEnvironment environment_;
};

TEST_F(SettingsTest, SayWhereTheEnvFileIs) {
  EXPECT_EQ(EnvFilePath(environment_), ".env");
  environment_.Set("SECRETS_ENV_FILE", "/etc/fake/env");
  EXPECT_EQ(EnvFilePath(environment_), "/etc/fake/env");
}

class BadSeconds : public SettingsTest, public testing::WithParamInterface<const char*> {};

TEST_P(BadSeconds, AreRefusedWithWhatIsAccepted) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("SECRETS_CACHE_TTL", GetParam());
  auto settings = Load();
  ASSERT_TRUE(settings);
  const auto seconds = settings->Seconds("SECRETS_CACHE_TTL", std::chrono::seconds(300),
                                         std::chrono::seconds(86400));
  ASSERT_FALSE(seconds);
  EXPECT_EQ(seconds.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(seconds.error().reason(), HasSubstr("SECRETS_CACHE_TTL is "));
  EXPECT_THAT(seconds.error().cure(), HasSubstr("whole seconds from 0 to 86400, digits only"));
}

INSTANTIATE_TEST_SUITE_P(All, BadSeconds,
                         testing::Values("5m", "-1", "+5", "1e3", "", " 5", "5 ", "5.0", "0x10",
                                         "86401", "99999999999999999999999", "5\n", "\xff",
                                         "\uff15"));

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

TEST_F(SettingsTest, ReadsBytesInTheirRange) {
  environment_.Set("SECRETS_ENV_FILE", "/dev/null");
  environment_.Set("LENGTH", "12");
  environment_.Set("NONE", "0");
  auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings->Bytes("LENGTH", 4, 12), 12u);
  EXPECT_EQ(*settings->Bytes("OTHER", 4, 12), 4u);
  EXPECT_THAT(settings->Bytes("LENGTH", 4, 11).error().reason(), HasSubstr("more than 11"));
  EXPECT_THAT(settings->Bytes("NONE", 4, 12).error().reason(), HasSubstr("less than 1"));
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

  environment_ = MapEnvironment();
  EXPECT_TRUE(LoadThere());
}

TEST_F(SettingsTest, ReadsTheDefaultEnvFileOfTheWorkingDirectory) {
  directory_.Write(".env", "A=there\n");
  const auto settings = LoadThere();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->Find("A")->source, ".env:1");
}

TEST_F(SettingsTest, RefusesADefaultEnvFileThatIsThereButCannotBeRead) {
  std::filesystem::create_symlink("nowhere", directory_.Path(".env"));
  EXPECT_EQ(LoadThere().error().code(), ErrorCode::kConfiguration);
  std::filesystem::remove(directory_.Path(".env"));
  std::filesystem::create_symlink(".env", directory_.Path(".env"));
  EXPECT_EQ(LoadThere().error().code(), ErrorCode::kConfiguration);
  std::filesystem::remove(directory_.Path(".env"));
  std::filesystem::create_directory(directory_.Path(".env"));
  EXPECT_THAT(LoadThere().error().reason(), HasSubstr("'.env' is a directory"));
}

TEST_F(SettingsTest, ReadsTheEnvFileThatAnOptionNames) {
  environment_.Set("SECRETS_ENV_FILE", directory_.Path("missing"));
  const auto settings = Load({{"SECRETS_ENV_FILE", directory_.Write("other", "A=1\n")}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->Find("A")->source, directory_.Path("other") + ":1");
}

TEST_F(SettingsTest, NamesThePlaceOfAnErrorInTheEnvFile) {
  UseEnvFile("A=1\nB=\"fake\n");
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(settings.error().reason(), HasSubstr(directory_.Path("env") + ":2:3: "));
}

// As a tool does that writes a file and then sets its time to that of its source.
TEST_F(SettingsTest, ReadsAChangedFileAgainThoughSizeAndModificationTimeAreTheSame) {
  const auto write_dated = [this](std::string_view text) {
    UseEnvFile(text);
    const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, directory_.Path("env").c_str(), times, 0), 0);
  };
  write_dated("A=1\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  for (const char* value : {"2", "3", "4", "5"}) {
    write_dated(std::string("A=") + value + "\n");
    ASSERT_TRUE(settings->env_file()->Load(environment_));
    EXPECT_EQ(settings->env_file()->contents().Find("A")->value->Reveal(), value);
  }
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
  EXPECT_EQ(large.error().code(), ErrorCode::kBadData);
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
