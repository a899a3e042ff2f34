#include "core/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "core/descriptor.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::core {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using std::string_view_literals::operator""sv;

TEST(ReadFile, ReadsEveryByte) {
  const test::TemporaryDirectory directory;
  const auto file = ReadFile(directory.Write("f", "a\0\xff\n"sv), "X_FILE");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->bytes.Reveal(), "a\0\xff\n"sv);
}

TEST(ReadFile, ReadsUpToTheLimitAndNotBeyond) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("f", std::string(5000, 'x'));
  EXPECT_EQ(ReadFile(path, "X_FILE", PipesAllowed::kNo, 5000)->bytes.size(), 5000u);
  const auto larger = ReadFile(path, "X_FILE", PipesAllowed::kNo, 4999);
  ASSERT_FALSE(larger);
  EXPECT_THAT(larger.error().reason(), AllOf(HasSubstr("X_FILE"), HasSubstr("4999 bytes")));
}

TEST(ReadFile, RefusesWhatIsNoRegularFileWithoutHanging) {
  const test::TemporaryDirectory directory;
  ASSERT_EQ(mkfifo(directory.Path("fifo").c_str(), 0600), 0);
  for (const std::string& path :
       {directory.path(), directory.Path("fifo"), std::string("/dev/zero")}) {
    const auto file = ReadFile(path, "X_FILE");
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(file.error().reason(), AllOf(HasSubstr("X_FILE"), HasSubstr(path)));
  }
}

TEST(ReadFile, NamesThePathOfAMissingFile) {
  const auto file = ReadFile("/nowhere/at/all", "X_FILE");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().reason(), HasSubstr("No such file"));
}

TEST(ReadFile, RefusesAPathWithAZeroByte) {
  EXPECT_FALSE(ReadFile(std::string("/dev/null\0x"sv), "X_FILE"));
}

// Root reads everything, so another user tries, in a process of its own.
TEST(ReadFile, SaysThatItMayNotRead) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("f", "fake", 0000);
  ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    const auto file = ReadFile(path, "X_FILE");
    const bool as_expected =
        !file && file.error().code() == ErrorCode::kConfiguration &&
        file.error().reason().find("Permission denied") != std::string::npos &&
        file.error().cure().find(std::to_string(geteuid())) != std::string::npos;
    _exit(as_expected ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// Which may be otherwise in a moment.
TEST(ReadFile, FailsForAMomentWhereNoDescriptorIsLeft) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("file", "fake");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const rlimit few{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  close(next);
  setrlimit(RLIMIT_NOFILE, &few);
  const auto file = ReadFile(path, "SETTING");
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(file.error().cure().find("ulimit"), std::string::npos);
  EXPECT_TRUE(ReadFile(path, "SETTING"));
}

// A usual mistake: the content of the file in place of its path.
TEST(ReadFile, DoesNotShowWhatCanBeNoPath) {
  for (const std::string& text :
       {std::string(R"({"client_secret": "fake"})"), std::string("-----BEGIN\nfake"),
        std::string(300, 'Z') + "fake", "/a/" + std::string(256, 'Z') + "fake/b"}) {
    const auto file = ReadFile(text, "SETTING");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::kConfiguration);
    EXPECT_THAT(file.error().reason(), HasSubstr("SETTING is a text of"));
    EXPECT_THAT(file.error().reason(), testing::Not(HasSubstr("fake")));
    for (const auto& [name, value] : file.error().context()) {
      EXPECT_THAT(value, testing::Not(HasSubstr("fake"))) << name;
    }
  }
}

// The key of RFC 8410, 10.3, whose whole body is one line.
constexpr char kEd25519Body[] = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

TEST(ShownPath, IsNoneOfASecretThatStandsInItsPlace) {
  const std::string body = kEd25519Body;
  std::string rsa = "MIIEvQIBADANBgkqhkiG9w0BAQ";  // as long as such keys are
  while (rsa.size() < 1600) rsa += "/Zm" + std::to_string(rsa.size()) + "+aKq";
  for (const std::string& text : {
           R"(-----BEGIN PRIVATE KEY-----\n)" + body + R"(\n-----END PRIVATE KEY-----\n)",
           "-----BEGIN PRIVATE KEY----- " + body + " -----END PRIVATE KEY-----",
           "BEGIN PRIVATE KEY " + body,
           std::string(R"(short\nfake)"),
           body,
           "/" + body,
           body.substr(0, 32) + " " + body.substr(32),
           body + "/application_default_credentials.json",
           rsa,
           "/nowhere/" + rsa,
           // A secret access key from the documentation of AWS, and a key id.
           std::string("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
           std::string("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY/credentials.json"),
           std::string("AKIAIOSFODNN7EXAMPLE"),
           // RFC 7515, A.1.
           std::string("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAi"),
           std::string("hvs.fakefakefakefakefake"),
           std::string("s.fakeFakefakeFakefakeFake"),
           std::string("ya29.fake-fake-fake-fake"),
           std::string("1//0fake-fake"),
           std::string("GOCSPX-fakefakefake"),
           std::string("00112233445566778899aabbccddeeff"),
           std::string("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
           std::string("/nowhere/hvs.fakefakefakefakefake"),
       }) {
    EXPECT_EQ(ShownPath(text), "a text of " + std::to_string(text.size()) + " bytes, not a path");
  }
}

TEST(ShownPath, IsWholeWhereItIsOneOrMightBe) {
  for (const char* const path :
       {"", "/", ".", "key.json", "/nowhere/at/all", "../secrets/token", "/run/secrets/vault-token",
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "/nowhere/my-service-account-key-for-production-2024.json",
        "my-service-account-key-for-production-2024",
        "/nowhere/MyServiceAccountKeyForProductionOnTheThirdOfMay.json", "sk-1.pem", "s.json",
        "/nowhere/\u00e9 \U0001f600/key", "C:\\keys\\one.json"}) {
    EXPECT_EQ(ShownPath(path), path);
  }
}

TEST(FileStatus, IsThatOfTheFileBehindALinkOrADescriptor) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.Write("f", "fake");
  struct stat expected{};
  ASSERT_EQ(stat(path.c_str(), &expected), 0);
  ASSERT_EQ(symlink(path.c_str(), directory.Path("link").c_str()), 0);
  const Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unlink(path.c_str()), 0);
  EXPECT_FALSE(FileStatus(path));
  EXPECT_FALSE(FileStatus(directory.Path("link")));
  directory.Write("f", "another");
  const auto behind = FileStatus("/dev/fd/" + std::to_string(opened.get()));
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->st_ino, expected.st_ino);
  const auto linked = FileStatus(directory.Path("link"));
  ASSERT_TRUE(linked);
  EXPECT_EQ(linked->st_size, 7);
  EXPECT_NE(linked->st_ino, expected.st_ino);
}

// Whatever they look like.
TEST(ShownPath, IsWholeWhereItOrItsDirectoryIsThere) {
  const test::TemporaryDirectory directory;
  for (const std::string& name :
       {std::string("eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2Ui"), std::string(R"({"a\nb"})"),
        std::string("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), std::string(250, 'Z')}) {
    const std::string path = directory.Path(name);
    EXPECT_EQ(ShownPath(path), path);  // not there, but its directory
    EXPECT_EQ(ShownPath(directory.Write(name, "fake")), path);
    EXPECT_EQ(ShownPath(path + "/below"), path + "/below");
    EXPECT_NE(ShownPath(directory.Path("nowhere/" + name)), directory.Path("nowhere/" + name));
  }
}

}  // namespace
}  // namespace qarion::secrets::core
