#include "runtime/module_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "module_fixture.h"

namespace qarion::secrets::runtime {
namespace {

class ModuleFile : public ModuleFixture {
 protected:
  void ExpectRefused(const std::string& problem) { ExpectRefusedIn(directory_, problem); }

  static void ExpectRefusedIn(const std::string& directory, const std::string& problem) {
    const auto found = FindTrustedModule(directory, "example");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), ErrorCode::kConfiguration);
    EXPECT_NE(found.error().reason().find(problem), std::string::npos) << found.error().reason();
    EXPECT_FALSE(found.error().cure().empty());
  }
};

TEST_F(ModuleFile, IsTrustedWhereOnlyItsOwnerCanChangeIt) {
  const std::string path = Install("example");
  const auto found = FindTrustedModule(directory_, "example");
  ASSERT_TRUE(found);
  EXPECT_TRUE(std::filesystem::equivalent(*found, path));
}

TEST_F(ModuleFile, IsRefusedWhereEverybodyCanWriteToTheFile) {
  chmod(Install("example").c_str(), 0757);
  ExpectRefused("qarion_secrets_example.so can be changed by every user");
}

TEST_F(ModuleFile, IsRefusedWhereEverybodyCanWriteToTheDirectory) {
  Install("example");
  chmod(directory_.c_str(), 01777);
  ExpectRefused(directory_.substr(directory_.rfind('/')) + " can be changed by every user");
}

TEST_F(ModuleFile, IsRefusedWhereALinkLeadsToADirectoryForEverybody) {
  std::filesystem::create_directory(Path("open"));
  std::filesystem::rename(Install("example"), Path("open/module.so"));
  chmod(Path("open").c_str(), 0777);
  std::filesystem::create_symlink("open/module.so", Path("qarion_secrets_example.so"));
  ExpectRefused("/open can be changed by every user");
}

TEST_F(ModuleFile, IsRefusedWhereItBelongsToSomeoneElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(chown(Install("example").c_str(), 12345, 12345), 0);
  ExpectRefused("belongs to the user 12345");
}

TEST_F(ModuleFile, IsRefusedWhereItsDirectoryBelongsToSomeoneElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Install("example");
  ASSERT_EQ(chown(directory_.c_str(), 12345, 12345), 0);
  ExpectRefused("belongs to the user 12345");
}

TEST_F(ModuleFile, IsRefusedWhereItIsNotARegularFile) {
  std::filesystem::create_directory(Path("qarion_secrets_example.so"));
  ExpectRefused("is not a regular file");
}

TEST_F(ModuleFile, IsRefusedWhereItIsMissing) { ExpectRefused("No such file or directory"); }

TEST_F(ModuleFile, IsRefusedWhereTheDirectoryIsMissing) {
  ExpectRefusedIn(Path("missing"), "cannot be searched for modules: No such file or directory");
}

TEST_F(ModuleFile, IsRefusedWhereTheDirectoryIsAFile) {
  Write("file", "");
  ExpectRefusedIn(Path("file"), "is not a directory");
}

TEST_F(ModuleFile, ListsTheBackendsThereAre) {
  for (const char* name : {"qarion_secrets_b.so", "qarion_secrets_a.so", "qarion_secrets_.so",
                           "qarion_secrets_B.so", "qarion_secrets_c.so.1", "libc.so", "notes"}) {
    Write(name, "");
  }
  EXPECT_EQ(BackendsIn(directory_), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(BackendsIn(directory_ + "/missing"), std::vector<std::string>{});
}

TEST(BackendName, IsALowerCaseWord) {
  for (const char* name : {"a", "env", "aws_sm", "s3", "a23456789012345678901234567890_2"}) {
    EXPECT_TRUE(IsBackendName(name)) << name;
  }
  for (const char* name : {"", "Vault", "3s", "_a", "a-b", "a/b", "..", "a.so", "a b",
                           "a234567890123456789012345678901_3"}) {
    EXPECT_FALSE(IsBackendName(name)) << name;
  }
}

TEST(ModuleDirectory, IsBesideTheLibrarysDirectory) {
  unsetenv("QARION_SECRETS_MODULE_DIR");
  const auto directory = ModuleDirectory();
  ASSERT_TRUE(directory);
  // The test lies in tests/ of the build as `qsecrets` does in bin/.
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(std::filesystem::path(*directory).lexically_normal(),
            program.parent_path().parent_path() / "lib" / "qarion-secrets");
}

TEST(ModuleDirectory, MayBeChosenByAnAbsolutePath) {
  setenv("QARION_SECRETS_MODULE_DIR", "/fake/modules", 1);
  const auto directory = ModuleDirectory();
  unsetenv("QARION_SECRETS_MODULE_DIR");
  ASSERT_TRUE(directory);
  EXPECT_EQ(*directory, "/fake/modules");
}

TEST(ModuleDirectory, MayNotBeChosenByARelativePath) {
  for (const char* path : {"", "modules", "./modules"}) {
    setenv("QARION_SECRETS_MODULE_DIR", path, 1);
    const auto directory = ModuleDirectory();
    unsetenv("QARION_SECRETS_MODULE_DIR");
    ASSERT_FALSE(directory) << path;
    EXPECT_EQ(directory.error().code(), ErrorCode::kConfiguration);
  }
}

}  // namespace
}  // namespace qarion::secrets::runtime
