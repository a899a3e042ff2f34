#include "providers/env/env_provider.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/fake_clock.h"
#include "providers/env/secrets_directory.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::env {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using std::string_view_literals::operator""sv;

class EnvProviderTest : public testing::Test {
 protected:
  EnvProviderTest() { environment_.Set("SECRETS_ENV_FILE", directory_.Path("env")); }

  void WriteEnvFile(std::string_view text, mode_t mode = 0600) {
    directory_.Write("env", text, mode);
  }
  void NoEnvFile() { environment_.Set("SECRETS_ENV_FILE", "/dev/null"); }

  Result<Payload> Fetch() {
    auto settings = core::Settings::Load(environment_, {});
    if (!settings) return std::move(settings).error();
    settings_.emplace(std::move(*settings));
    auto provider = CreateEnvProvider({*settings_, clock_, [](std::string_view) {}});
    if (!provider) return std::move(provider).error();
    provider_ = std::move(*provider);
    return provider_->Fetch({.fields = fields_});
  }

  // Name to "value <- origin".
  std::map<std::string, std::string> Fields() {
    auto payload = Fetch();
    EXPECT_TRUE(payload) << payload.error().reason();
    std::map<std::string, std::string> fields;
    if (!payload) return fields;
    findings_ = payload->findings;
    version_ = payload->version;
    for (const auto& field : payload->fields) {
      fields[field.name] = std::string(field.value.Reveal()) + " <- " + field.origin;
    }
    return fields;
  }

  std::string EnvPath() const { return directory_.Path("env"); }

  test::TemporaryDirectory directory_;
  core::MapEnvironment environment_;
  FieldSet fields_ = FieldSet::BuiltIn();
  core::FakeClock clock_;
  std::optional<core::Settings> settings_;
  std::unique_ptr<SecretProvider> provider_;
  std::vector<Finding> findings_;
  std::string version_;
};

TEST_F(EnvProviderTest, PrefersEnvironmentThenFileVariableThenEnvFileThenDirectory) {
  std::filesystem::create_directory(directory_.Path("dir"));
  for (const char* name :
       {"SECRET_KEY", "SMTP_PASSWORD", "SENDGRID_API_KEY", "SCIM_BEARER_TOKEN"}) {
    directory_.Write("dir/" + std::string(name), "fake-dir");
  }
  WriteEnvFile("SECRET_KEY=fake-dotenv\nSMTP_PASSWORD=fake-dotenv\nSENDGRID_API_KEY=fake-dotenv\n");
  const std::string file = directory_.Write("key", "fake-file");
  environment_.Set("SECRETS_DIR", directory_.Path("dir"));
  environment_.Set("SECRET_KEY", "fake-process");
  environment_.Set("SMTP_PASSWORD_FILE", file);
  EXPECT_THAT(
      Fields(),
      ElementsAre(
          std::pair("SCIM_BEARER_TOKEN", "fake-dir <- " + directory_.Path("dir/SCIM_BEARER_TOKEN")),
          std::pair("SECRET_KEY", "fake-process <- process environment"),
          std::pair("SENDGRID_API_KEY", "fake-dotenv <- " + EnvPath() + ":3"),
          std::pair("SMTP_PASSWORD", "fake-file <- " + file + " (from SMTP_PASSWORD_FILE)")));
}

TEST_F(EnvProviderTest, RefusesAVariableAndItsFileVariableTogether) {
  NoEnvFile();
  environment_.Set("SECRET_KEY", "fake");
  environment_.Set("SECRET_KEY_FILE", directory_.Write("key", "fake"));
  const auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(payload.error().reason(),
              AllOf(HasSubstr("SECRET_KEY "), HasSubstr("SECRET_KEY_FILE")));
}

TEST_F(EnvProviderTest, TakesAnEmptyVariableForNoneBesideAFileVariable) {
  NoEnvFile();
  environment_.Set("SECRET_KEY", "");
  environment_.Set("SECRET_KEY_FILE", directory_.Write("key", "fake-file"));
  environment_.Set("SMTP_PASSWORD", "");
  environment_.Set("SENDGRID_API_KEY_FILE", "");
  const auto fields = Fields();
  EXPECT_THAT(fields.at("SECRET_KEY"), HasSubstr("fake-file"));
  EXPECT_EQ(fields.at("SMTP_PASSWORD"), " <- process environment");
  EXPECT_FALSE(fields.contains("SENDGRID_API_KEY"));
}

TEST_F(EnvProviderTest, NamesTheFileVariableOfAFileThatIsMissing) {
  NoEnvFile();
  environment_.Set("SECRET_KEY_FILE", directory_.Path("nowhere"));
  const auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(payload.error().reason(), AllOf(HasSubstr("SECRET_KEY_FILE"), HasSubstr("nowhere")));
}

TEST_F(EnvProviderTest, StripsExactlyOneNewlineFromAFileAndSaysSo) {
  NoEnvFile();
  environment_.Set("SECRET_KEY_FILE", directory_.Write("one", "fake\n"));
  environment_.Set("SMTP_PASSWORD_FILE", directory_.Write("two", "fake\n\n"));
  environment_.Set("SENDGRID_API_KEY_FILE", directory_.Write("crlf", "fake\r\n"));
  environment_.Set("SCIM_BEARER_TOKEN_FILE", directory_.Write("none", "fake"));
  const auto fields = Fields();
  EXPECT_THAT(fields.at("SECRET_KEY"), testing::StartsWith("fake <- "));
  EXPECT_THAT(fields.at("SMTP_PASSWORD"), testing::StartsWith("fake\n <- "));
  EXPECT_THAT(fields.at("SENDGRID_API_KEY"), testing::StartsWith("fake <- "));
  EXPECT_THAT(fields.at("SCIM_BEARER_TOKEN"), testing::StartsWith("fake <- "));
  EXPECT_EQ(findings_.size(), 3u);
  EXPECT_THAT(findings_, testing::Each(Field(&Finding::problem, HasSubstr("newline"))));
}

TEST_F(EnvProviderTest, KeepsEveryByteOfAFile) {
  NoEnvFile();
  environment_.Set("SECRET_KEY_FILE", directory_.Write("key", "a\0\xff b"sv));
  auto payload = Fetch();
  ASSERT_TRUE(payload);
  ASSERT_EQ(payload->fields.size(), 1u);
  EXPECT_EQ(payload->fields[0].value.Reveal(), "a\0\xff b"sv);
}

TEST_F(EnvProviderTest, FindsFamilyMembersEverywhere) {
  std::filesystem::create_directory(directory_.Path("dir"));
  directory_.Write("dir/LLM_API_KEY_DIR", "fake-d");
  WriteEnvFile("LLM_API_KEY_DOTENV=fake-e\nLLM_API_KEY_=no-member\n");
  environment_.Set("SECRETS_DIR", directory_.Path("dir"));
  environment_.Set("LLM_API_KEY_PROCESS", "fake-p");
  environment_.Set("LLM_API_KEY_FROM_FILE", directory_.Write("key", "fake-f"));
  const auto fields = Fields();
  EXPECT_EQ(fields.size(), 4u);
  EXPECT_THAT(fields.at("LLM_API_KEY_FROM"), HasSubstr("fake-f"));
  EXPECT_THAT(fields.at("LLM_API_KEY_PROCESS"), HasSubstr("fake-p"));
  EXPECT_THAT(fields.at("LLM_API_KEY_DOTENV"), HasSubstr("fake-e"));
  EXPECT_THAT(fields.at("LLM_API_KEY_DIR"), HasSubstr("fake-d"));
}

TEST_F(EnvProviderTest, TakesEveryKeyOfItsFilesButNotOfTheEnvironmentWhenEverythingIsManaged) {
  ASSERT_TRUE(fields_.Add("*"));
  WriteEnvFile("ANYTHING=fake-e\nWINS=fake-e\n");
  environment_.Set("HOME", "/not/a/secret");
  environment_.Set("WINS", "fake-p");
  EXPECT_THAT(Fields(), ElementsAre(std::pair("ANYTHING", "fake-e <- " + EnvPath() + ":1"),
                                    std::pair("WINS", "fake-p <- process environment")));
}

TEST_F(EnvProviderTest, ReadsTheEnvFileAnewAtEachFetch) {
  WriteEnvFile("SECRET_KEY=fake-old\n");
  auto first = Fetch();
  ASSERT_TRUE(first);
  WriteEnvFile("SECRET_KEY=fake-newer\n");
  auto second = provider_->Fetch({.fields = fields_});
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->fields.at(0).value.ConstantTimeEquals("fake-newer"));
  EXPECT_NE(first->version, second->version);
}

TEST_F(EnvProviderTest, NamesItsVersionAfterTheChangeOfTheNewestFile) {
  WriteEnvFile("SECRET_KEY=fake\n");
  // `date -u -d @1709210096` has 2024-02-29T12:34:56.
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = 0}, {.tv_sec = 1709210096, .tv_nsec = 789}};
  ASSERT_EQ(utimensat(AT_FDCWD, EnvPath().c_str(), times, 0), 0);
  Fields();
  EXPECT_EQ(version_, "2024-02-29T12:34:56.000000789Z");
}

TEST_F(EnvProviderTest, WarnsOfAnEnvFileThatOthersCanRead) {
  WriteEnvFile("SECRET_KEY=fake\n", 0644);
  Fields();
  EXPECT_THAT(findings_, ElementsAre(AllOf(Field(&Finding::subject, EnvPath()),
                                           Field(&Finding::severity, Severity::kWarning),
                                           Field(&Finding::problem, HasSubstr("every user")),
                                           Field(&Finding::cure, HasSubstr("chmod 600")))));
}

struct Mode {
  mode_t mode;
  const char* problem;  // none: nullptr
};

void PrintTo(const Mode& mode, std::ostream* out) { *out << std::oct << "0" << mode.mode; }

class EnvFileMode : public EnvProviderTest, public testing::WithParamInterface<Mode> {};

TEST_P(EnvFileMode, IsDescribedAsItIs) {
  WriteEnvFile("SECRET_KEY=fake\n", GetParam().mode);
  Fields();
  if (GetParam().problem == nullptr) {
    EXPECT_THAT(findings_, IsEmpty());
  } else {
    EXPECT_THAT(findings_, ElementsAre(Field(&Finding::problem, GetParam().problem)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, EnvFileMode,
    testing::Values(Mode{0600, nullptr}, Mode{0700, nullptr},
                    Mode{0640, "can be read by its group"}, Mode{0644, "can be read by every user"},
                    Mode{0660, "can be read and written by its group"},
                    Mode{0664, "can be read by every user and written by its group"},
                    Mode{0666, "can be read and written by every user"},
                    Mode{0620, "can be written by its group"}));

TEST_F(EnvProviderTest, WarnsOfAFileInADirectoryThatEveryUserCanReadNotOfOneForAGroup) {
  NoEnvFile();
  std::filesystem::create_directory(directory_.Path("dir"));
  directory_.Write("dir/SECRET_KEY", "fake", 0640);
  directory_.Write("dir/SMTP_PASSWORD", "fake", 0644);
  environment_.Set("SECRETS_DIR", directory_.Path("dir"));
  EXPECT_EQ(Fields().size(), 2u);
  EXPECT_THAT(findings_,
              ElementsAre(AllOf(Field(&Finding::subject, directory_.Path("dir/SMTP_PASSWORD")),
                                Field(&Finding::problem, HasSubstr("every user")))));
}

TEST_F(EnvProviderTest, WarnsOfKeysThatCannotBeFieldsWhenEverythingIsManaged) {
  ASSERT_TRUE(fields_.Add("*"));
  WriteEnvFile("GOOD=fake-1\n1fake-2=fake-3\n");
  std::filesystem::create_directories(directory_.Path("dir/lost+found"));
  directory_.Write("dir/not a name", "fake");
  directory_.Write("dir/tls.key", "fake-4");
  environment_.Set("SECRETS_DIR", directory_.Path("dir"));
  EXPECT_EQ(Fields().size(), 2u);
  ASSERT_EQ(findings_.size(), 2u);
  EXPECT_EQ(findings_[0].subject, EnvPath() + ":2");
  EXPECT_THAT(findings_[0].problem, AllOf(HasSubstr("field name"), Not(HasSubstr("fake"))));
  EXPECT_EQ(findings_[1].subject, directory_.Path("dir"));
  EXPECT_THAT(findings_[1].problem, testing::StartsWith("1 of its files"));
}

TEST_F(EnvProviderTest, TakesAKeyThatEndsInFileForAnyOtherWhenEverythingIsManaged) {
  ASSERT_TRUE(fields_.Add("*"));
  WriteEnvFile("DATABASE_FILE=fake\n");
  EXPECT_THAT(Fields(), ElementsAre(std::pair("DATABASE_FILE", "fake <- " + EnvPath() + ":1")));
  EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(EnvProviderTest, WarnsOfAKeyInTheWrongCase) {
  WriteEnvFile("secret_key=fake\n");
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_THAT(findings_, ElementsAre(Field(&Finding::problem, HasSubstr("mean SECRET_KEY?"))));
}

TEST_F(EnvProviderTest, WarnsOfMisspeltAndMisplacedKeys) {
  WriteEnvFile(
      "SECERT_KEY=fake\nSMTP_PASSWORD_FILE=/"
      "x\nPOSTGRES_PASSWORD\nSECRETS_ENV_FILE=y\nUNRELATED=z\n");
  EXPECT_THAT(Fields(), IsEmpty());
  ASSERT_EQ(findings_.size(), 4u);
  EXPECT_THAT(findings_[0].problem, HasSubstr("did you mean SECRET_KEY?"));
  EXPECT_EQ(findings_[0].subject, EnvPath() + ":1");
  EXPECT_THAT(findings_[1].problem, HasSubstr("process environment only"));
  EXPECT_THAT(findings_[2].problem, HasSubstr("without `=`"));
  EXPECT_THAT(findings_[3].problem, HasSubstr("no effect"));
}

TEST_F(EnvProviderTest, ReadsAKubernetesVolume) {
  NoEnvFile();
  const std::string volume = directory_.Path("volume");
  std::filesystem::create_directories(volume + "/..2026_01");
  directory_.Write("volume/..2026_01/SECRET_KEY", "fake-1", 0644);
  std::filesystem::create_symlink("..2026_01", volume + "/..data");
  std::filesystem::create_symlink("..data/SECRET_KEY", volume + "/SECRET_KEY");
  environment_.Set("SECRETS_DIR", volume);
  EXPECT_THAT(Fields(),
              ElementsAre(std::pair("SECRET_KEY", "fake-1 <- " + volume + "/SECRET_KEY")));
  EXPECT_THAT(findings_, IsEmpty());

  // As the kubelet swaps it: a new directory, then the link by one rename.
  std::filesystem::create_directories(volume + "/..2026_02");
  directory_.Write("volume/..2026_02/SECRET_KEY", "fake-2", 0644);
  std::filesystem::create_symlink("..2026_02", volume + "/..data_tmp");
  std::filesystem::rename(volume + "/..data_tmp", volume + "/..data");
  EXPECT_THAT(Fields(),
              ElementsAre(std::pair("SECRET_KEY", "fake-2 <- " + volume + "/SECRET_KEY")));
}

// A Kubernetes volume with the files ONE and TWO, each holding the generation's number.
class Volume {
 public:
  Volume() {
    Turn();
    for (const char* name : {"ONE", "TWO"}) {
      std::filesystem::create_symlink(std::string("..data/") + name, directory_.Path(name));
    }
  }

  // As the kubelet does it, which then removes the old directory.
  void Turn() {
    const std::string before = "..generation_" + std::to_string(generation_);
    const std::string now = "..generation_" + std::to_string(++generation_);
    std::filesystem::create_directory(directory_.Path(now));
    for (const char* name : {"/ONE", "/TWO"}) {
      directory_.Write(now + name, std::to_string(generation_));
    }
    std::filesystem::create_symlink(now, directory_.Path("..data_tmp"));
    std::filesystem::rename(directory_.Path("..data_tmp"), directory_.Path("..data"));
    std::filesystem::remove_all(directory_.Path(before));
  }

  const std::string& path() const { return directory_.path(); }

 private:
  test::TemporaryDirectory directory_;
  int generation_ = 0;
};

std::vector<std::string> ValuesOf(const DirectoryContents& contents) {
  std::vector<std::string> values;
  for (const DirectoryEntry& entry : contents.entries) {
    values.emplace_back(entry.file.bytes.Reveal());
  }
  return values;
}

TEST(SecretsDirectory, IsReadAgainWhenItsGenerationChangesInTheMiddle) {
  Volume volume;
  bool turned = false;
  const auto contents = ReadSecretsDirectory(volume.path(), [&](const std::string& name) {
    if (name == "TWO" && !std::exchange(turned, true)) volume.Turn();
    return true;
  });
  ASSERT_TRUE(contents);
  EXPECT_THAT(ValuesOf(*contents), ElementsAre("2", "2"));
}

TEST(SecretsDirectory, AsksToTryAgainWhenItChangesEachTime) {
  Volume volume;
  const auto contents = ReadSecretsDirectory(volume.path(), [&](const std::string& name) {
    if (name == "TWO") volume.Turn();
    return true;
  });
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().code(), ErrorCode::kTryAgain);
}

TEST(SecretsDirectory, IsReadAgainWhenItsPathComesToMeanAnotherDirectory) {
  const test::TemporaryDirectory directory;
  for (const char* name : {"old", "new"}) {
    std::filesystem::create_directory(directory.Path(name));
    directory.Write(name + std::string("/ONE"), name);
    directory.Write(name + std::string("/TWO"), name);
  }
  const std::string link = directory.Path("link");
  std::filesystem::create_symlink("old", link);
  const auto contents = ReadSecretsDirectory(link, [&](const std::string& name) {
    if (name == "TWO") {
      std::filesystem::remove(link);
      std::filesystem::create_symlink("new", link);
    }
    return true;
  });
  ASSERT_TRUE(contents);
  EXPECT_THAT(ValuesOf(*contents), ElementsAre("new", "new"));
}

TEST_F(EnvProviderTest, ReadsOnlyRegularFilesOfADirectory) {
  NoEnvFile();
  std::filesystem::create_directories(directory_.Path("dir/SECRET_KEY"));
  ASSERT_EQ(mkfifo(directory_.Path("dir/SMTP_PASSWORD").c_str(), 0600), 0);
  directory_.Write("dir/.hidden", "fake");
  environment_.Set("SECRETS_DIR", directory_.Path("dir"));
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_EQ(findings_.size(), 2u);
}

TEST_F(EnvProviderTest, RefusesADirectoryThatIsNone) {
  NoEnvFile();
  for (const std::string& path : {directory_.Path("missing"), directory_.Write("file", "fake")}) {
    environment_.Set("SECRETS_DIR", path);
    const auto payload = Fetch();
    ASSERT_FALSE(payload) << path;
    EXPECT_EQ(payload.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(payload.error().reason(), HasSubstr("SECRETS_DIR"));
  }
}

TEST_F(EnvProviderTest, NeverPutsAValueIntoAFinding) {
  WriteEnvFile(
      "SECRET_KEY=fake-value-1\nSECRET_KEY=fake-value-2\nSMTP_PASSWORD=${fake-value-3}\n"
      "fake-value-4\nfake-value-4\nSECERT_KEY=fake-value-5\n",
      0666);
  Fields();
  EXPECT_THAT(findings_, Not(IsEmpty()));
  for (const Finding& finding : findings_) {
    EXPECT_THAT(finding.problem + finding.cure + finding.subject, Not(HasSubstr("fake-value")));
  }
}

}  // namespace
}  // namespace qarion::secrets::env
