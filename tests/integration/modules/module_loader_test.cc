#include "runtime/module_loader.h"

#include "module_fixture.h"

namespace qarion::secrets::runtime {
namespace {

class ModuleLoader : public ModuleFixture {
 protected:
  Result<std::unique_ptr<SecretProvider>> Open(const std::string& backend) {
    Install(backend);
    return OpenModule(backend, options_, Context());
  }

  void ExpectRefused(const std::string& backend, ErrorCode code, const std::string& problem) {
    const auto opened = Open(backend);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), code);
    EXPECT_NE(opened.error().reason().find(problem), std::string::npos) << opened.error().reason();
    EXPECT_FALSE(opened.error().cure().empty());
  }
  void ExpectRefused(const std::string& backend, const std::string& problem) {
    ExpectRefused(backend, ErrorCode::kConfiguration, problem);
  }

  ModuleOptions options_{.directory = directory_};
};

TEST_F(ModuleLoader, OpensTheExampleModule) {
  Write("secret.json", "{}");
  Set({{"EXAMPLE_FILE", Path("secret.json")}});
  const auto provider = Open("example");
  ASSERT_TRUE(provider) << provider.error().reason();
  EXPECT_EQ((*provider)->Source(), Path("secret.json"));
}

TEST_F(ModuleLoader, OpensAModuleWhoseTableIsLargerThanKnown) {
  const auto provider = Open("larger_table");
  ASSERT_TRUE(provider) << provider.error().reason();
  EXPECT_EQ((*provider)->Source(), "nowhere");
}

TEST_F(ModuleLoader, RefusesAFileThatIsNoSharedObject) {
  Write("qarion_secrets_text.so", "this is no shared object");
  const auto opened = OpenModule("text", options_, Context());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().reason().find("cannot be loaded"), std::string::npos);
}

TEST_F(ModuleLoader, RefusesAModuleThatNeedsAFunctionNobodyHas) {
  ExpectRefused("missing_function", "qarion_secrets_a_function_that_nobody_has");
}

TEST_F(ModuleLoader, RefusesAModuleWithoutTheSymbol) {
  ExpectRefused("no_symbol", "does not export qarion_secrets_provider");
}

TEST_F(ModuleLoader, RefusesAModuleThatDoesNotDescribeItself) {
  ExpectRefused("no_table", "does not describe itself");
}

TEST_F(ModuleLoader, RefusesAModuleThatThrowsWhenAsked) {
  ExpectRefused("throws_when_asked", "does not describe itself");
}

TEST_F(ModuleLoader, NamesBothNumbersWhereTheInterfaceIsAnother) {
  ExpectRefused("other_abi", "has version 99 of the module interface; this library has version 1");
}

TEST_F(ModuleLoader, RefusesATableThatIsTooSmall) {
  ExpectRefused("small_table", "describes itself in 48 bytes; at least 56 are needed");
}

TEST_F(ModuleLoader, RefusesATableWithoutAVersion) {
  ExpectRefused("tiny_table", "describes itself in 8 bytes; at least 56 are needed");
}

TEST_F(ModuleLoader, RefusesAModuleWithAnotherName) {
  ExpectRefused("other_name", "says that it is the backend 'somebody_else', not 'other_name'");
}

TEST_F(ModuleLoader, RefusesAModuleWithoutAName) {
  ExpectRefused("no_name", "says that it is the backend '', not 'no_name'");
}

TEST_F(ModuleLoader, RefusesAModuleThatLacksAFunction) {
  ExpectRefused("no_fetch", "lacks a function of the module interface");
}

TEST_F(ModuleLoader, RefusesAModuleThatCrashesWhenLoaded) {
  ExpectRefused("crashes_when_loaded", "was ended by signal 6 (Aborted)");
}

TEST_F(ModuleLoader, RefusesAModuleThatThrowsWhenLoaded) {
  ExpectRefused("throws_when_loaded", "when it was tried in a process of its own");
}

TEST_F(ModuleLoader, RefusesAModuleThatCrashesInCreateAndShowsNothingOfIt) {
  testing::internal::CaptureStderr();
  ExpectRefused("crashes_in_create", "was ended by signal 11 (Segmentation fault)");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ModuleLoader, RefusesAModuleThatHangsInCreate) {
  options_.probe_timeout = std::chrono::milliseconds(300);
  ExpectRefused("hangs_in_create", "did not come back within 300 ms");
}

TEST_F(ModuleLoader, RefusesAModuleThatEndsTheProcess) {
  ExpectRefused("exits_in_create", "ended the process with status 0");
}

TEST_F(ModuleLoader, RefusesAModuleThatThrowsInCreate) {
  ExpectRefused("throws_in_create", ErrorCode::kInternal, "threw an exception");
}

TEST_F(ModuleLoader, RefusesAModuleThatThrowsInCreateAlsoUnprobed) {
  options_.is_probed = false;
  ExpectRefused("throws_in_create", ErrorCode::kInternal, "threw an exception");
}

TEST_F(ModuleLoader, RefusesAModuleThatMakesNoInstance) {
  ExpectRefused("makes_no_instance", ErrorCode::kInternal, "made no instance");
}

TEST_F(ModuleLoader, RefusesAModuleThatReturnsAnUnknownStatus) {
  ExpectRefused("unknown_status", ErrorCode::kInternal, "unknown status 4711");
}

TEST_F(ModuleLoader, PassesTheModulesOwnErrorOn) {
  const auto opened = Open("fails_in_create");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(opened.error().reason(), "the backend 'fails_in_create': FAKE_SETTING is not set");
  EXPECT_EQ(opened.error().cure(), "set FAKE_SETTING");
}

TEST_F(ModuleLoader, LoadsNothingFromAFileThatIsNotTrusted) {
  const std::string path = Install("crashes_when_loaded");
  std::filesystem::permissions(path, std::filesystem::perms(0777));
  options_.is_probed = false;  // loading it would end this test
  const auto opened = OpenModule("crashes_when_loaded", options_, Context());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().reason().find("can be changed by every user"), std::string::npos);
}

}  // namespace
}  // namespace qarion::secrets::runtime
