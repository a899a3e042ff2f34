#include "runtime/provider_registry.h"

#include <array>
#include <cstdio>

#include "module_fixture.h"
#include "tests/fakes/local_server.h"

namespace qarion::secrets::runtime {
namespace {

class ProviderRegistry : public ModuleFixture {
 protected:
  ProviderRegistry() { setenv("QARION_SECRETS_MODULE_DIR", directory_.c_str(), 1); }
  ~ProviderRegistry() override { unsetenv("QARION_SECRETS_MODULE_DIR"); }

  Error ErrorOf(std::string_view name) {
    auto opened = OpenProvider(name, Context());
    EXPECT_FALSE(opened);
    return opened ? Error(ErrorCode::kInternal, "opened") : std::move(opened).error();
  }
};

TEST_F(ProviderRegistry, OpensTheBackendInsideTheLibrary) {
  EXPECT_TRUE(OpenProvider("env", Context()));
}

TEST_F(ProviderRegistry, OpensAModuleByItsName) {
  Install("example");
  Write("secret.json", "{}");
  Set({{"EXAMPLE_FILE", Path("secret.json")}});
  EXPECT_TRUE(OpenProvider("example", Context()));
}

TEST_F(ProviderRegistry, PrefersTheBackendInsideTheLibrary) {
  Write("qarion_secrets_env.so", "not a module");
  EXPECT_TRUE(OpenProvider("env", Context()));
}

TEST_F(ProviderRegistry, ListsTheKnownBackendsWhereOneIsUnknown) {
  Install("example");
  Write("qarion_secrets_vault.so", "");
  const Error error = ErrorOf("nothing_like_it");
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(error.reason(),
            "SECRETS_BACKEND names the unknown backend 'nothing_like_it'; known are env, example, "
            "vault, aws_sm (not installed), gcp_sm (not installed)");
}

TEST_F(ProviderRegistry, SuggestsTheNearestBackend) {
  EXPECT_EQ(ErrorOf("valut").cure(), "did you mean vault?");
  EXPECT_EQ(ErrorOf("aws-sm").cure(), "did you mean aws_sm?");
  EXPECT_EQ(ErrorOf("ENV").cure(), "did you mean env?");
}

TEST_F(ProviderRegistry, RepeatsNothingThatIsNoBackendsName) {
  for (const char* name : {"hunter2 hunter2", "../hunter2", "HUNTER2", "hunter2\n", ""}) {
    const Error error = ErrorOf(name);
    EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
    EXPECT_NE(error.reason().find("a text that is no backend's name"), std::string::npos);
    EXPECT_EQ(error.reason().find("hunter2"), std::string::npos);
    EXPECT_EQ(error.reason().find("HUNTER2"), std::string::npos);
  }
}

TEST_F(ProviderRegistry, SaysWhichFileIsMissingForABackendOfTheProject) {
  const Error error = ErrorOf("vault");
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration);
  EXPECT_EQ(error.reason(), "SECRETS_BACKEND names the backend 'vault', which is not installed: " +
                                directory_ + "/qarion_secrets_vault.so does not exist");
  EXPECT_NE(error.cure().find("env"), std::string::npos);
}

TEST_F(ProviderRegistry, WorksWithoutADirectoryOfModules) {
  setenv("QARION_SECRETS_MODULE_DIR", (directory_ + "/missing").c_str(), 1);
  EXPECT_TRUE(OpenProvider("env", Context()));
  EXPECT_NE(ErrorOf("unknown").reason().find("known are env,"), std::string::npos);
}

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> part;
  while (const std::size_t count = fread(part.data(), 1, part.size(), pipe)) {
    output.append(part.data(), count);
  }
  EXPECT_EQ(pclose(pipe), 0);
  return output;
}

// What is mapped into a process that reads its secrets, with these settings and no others.
std::string MapsWith(const std::string& settings, const std::string& module_directory) {
  return OutputOf("env -i HOME=/nonexistent SECRETS_ENV_FILE=/dev/null QARION_SECRETS_MODULE_DIR=" +
                  module_directory + " " + settings + " " PRINT_MAPS);
}

TEST_F(ProviderRegistry, MapsNothingIntoTheProcessThatWasNotSelected) {
  for (const char* name : {"example", "crashes_when_loaded"}) Install(name);
  for (const char* path : {AWS_SM_MODULE, GCP_SM_MODULE, VAULT_MODULE}) InstallFile(path);
  const std::string maps =
      MapsWith("SECRETS_BACKEND=env POSTGRES_PASSWORD=fake-password", directory_);
  EXPECT_NE(maps.find("print_maps"), std::string::npos);
  for (const char* unwanted :
       {"qarion_secrets_", "libcrypto", "libcurl", "libpq", "libssl", "libsqlite"}) {
    EXPECT_EQ(maps.find(unwanted), std::string::npos) << unwanted;
  }
}

// Of the modules of the project only that of `backend` is in `maps`.
void ExpectAlone(const std::string& maps, const std::string& backend) {
  for (const std::string each : {"aws_sm", "gcp_sm", "vault"}) {
    EXPECT_EQ(maps.find("qarion_secrets_" + each + ".so") != std::string::npos, each == backend)
        << each << " with " << backend;
  }
}

TEST_F(ProviderRegistry, MapsOneModuleAlone) {
  for (const char* path : {AWS_SM_MODULE, GCP_SM_MODULE, VAULT_MODULE}) InstallFile(path);
  const test::LocalServer aws([](const test::LocalRequest&) {
    return test::LocalAnswer{
        .body = R"({"ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:fake-AbCdEf",)"
                R"( "Name": "fake", "VersionId": "fake-version",)"
                R"( "SecretString": "{\"POSTGRES_PASSWORD\": \"fake\"}"})"};
  });
  ExpectAlone(MapsWith("SECRETS_BACKEND=aws_sm AWS_SECRET_ARN=fake AWS_REGION=us-east-1 "
                       "AWS_ACCESS_KEY_ID=AKIAFAKE "
                       "AWS_SECRET_ACCESS_KEY=fake AWS_ENDPOINT_URL=" +
                           aws.Url(),
                       directory_),
              "aws_sm");

  // Who logs in as a workforce user, and the secret.
  const test::LocalServer gcp([](const test::LocalRequest& request) {
    if (request.path == "/token") {
      return test::LocalAnswer{.body = R"({"access_token": "fake", "expires_in": 3600})"};
    }
    return test::LocalAnswer{
        // {"POSTGRES_PASSWORD": "fake"}
        .body = R"({"name": "projects/1/secrets/fake/versions/1",)"
                R"( "payload": {"data": "eyJQT1NUR1JFU19QQVNTV09SRCI6ICJmYWtlIn0="}})"};
  });
  Write("user.json", R"({"type": "external_account_authorized_user", "client_id": "fake",)"
                     R"( "client_secret": "fake", "refresh_token": "fake", "token_url": ")" +
                         gcp.Url() + "/token\"}");
  ExpectAlone(MapsWith("SECRETS_BACKEND=gcp_sm GCP_SECRET_NAME=projects/1/secrets/fake "
                       "GOOGLE_APPLICATION_CREDENTIALS=" +
                           Path("user.json") + " GCP_SECRET_ENDPOINT=" + gcp.Url(),
                       directory_),
              "gcp_sm");

  const test::LocalServer vault([](const test::LocalRequest&) {
    return test::LocalAnswer{
        .body = R"({"data": {"data": {"POSTGRES_PASSWORD": "fake"}, "metadata": {"version": 1}}})"};
  });
  ExpectAlone(
      MapsWith(
          "SECRETS_BACKEND=vault VAULT_TOKEN=fake VAULT_SECRET_PATH=secret/data/fake VAULT_ADDR=" +
              vault.Url(),
          directory_),
      "vault");
}

}  // namespace
}  // namespace qarion::secrets::runtime
