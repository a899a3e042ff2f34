#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "providers/vault/vault_settings.h"
#include "tests/support/given_settings.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::ExpectRefused;
using test::ExpectRefusedUnderBothNames;
using test::Given;
using test::Load;
using test::Names;
using test::TwinOf;
using test::With;
using testing::HasSubstr;
using testing::Not;

AuthSettings AuthOf(const Given& given) {
  auto settings = Load(given);
  if (!settings) {
    ADD_FAILURE() << settings.error().reason();
    return {};
  }
  return std::move(settings->auth);
}

struct Inferred {
  const char* name;
  Given given;
  AuthMethod method;
};

void PrintTo(const Inferred& inferred, std::ostream* out) { *out << inferred.name; }

class LoginMethod : public testing::TestWithParam<Inferred> {};

TEST_P(LoginMethod, IsThatOfTheSettingsThatAreThere) {
  EXPECT_EQ(AuthOf(GetParam().given).method, GetParam().method);
}

TEST_P(LoginMethod, IsThatOfTheSettingsUnderTheirOtherNames) {
  Given twins;
  for (const auto& [name, value] : GetParam().given) twins[TwinOf(name)] = value;
  EXPECT_EQ(AuthOf(twins).method, GetParam().method);
}

TEST_P(LoginMethod, MayBeNamedToo) {
  const std::string name(ToString(GetParam().method));
  EXPECT_EQ(AuthOf(With(GetParam().given, {{"VAULT_AUTH_METHOD", name}})).method,
            GetParam().method);
}

// auth/approle/, auth/jwt/, ...: where each server mounts it unless told otherwise.
TEST_P(LoginMethod, IsMountedWhereItIsCalled) {
  EXPECT_EQ(AuthOf(GetParam().given).mount, ToString(GetParam().method));
  if (GetParam().method == AuthMethod::kToken) {  // goes nowhere
    ExpectRefusedUnderBothNames(With(GetParam().given, {{"VAULT_AUTH_MOUNT", "team/own"}}),
                                "VAULT_AUTH_MOUNT");
    return;
  }
  for (const char* const mount : {"team/own", "/team/own/", "auth/team/own"}) {
    EXPECT_EQ(AuthOf(With(GetParam().given, {{"VAULT_AUTH_MOUNT", mount}})).mount, "team/own");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LoginMethod,
    testing::Values(Inferred{"Token", {{"VAULT_TOKEN", "fake"}}, AuthMethod::kToken},
                    Inferred{"TokenFile", {{"VAULT_TOKEN_FILE", "/fake"}}, AuthMethod::kToken},
                    Inferred{"RoleId", {{"VAULT_ROLE_ID", "fake"}}, AuthMethod::kAppRole},
                    Inferred{"RoleIdFile", {{"VAULT_ROLE_ID_FILE", "/fake"}}, AuthMethod::kAppRole},
                    Inferred{"RoleIdAndSecretId",
                             {{"VAULT_ROLE_ID", "fake"}, {"VAULT_SECRET_ID_FILE", "/fake"}},
                             AuthMethod::kAppRole},
                    Inferred{"Jwt", {{"VAULT_JWT_FILE", "/fake"}}, AuthMethod::kJwt},
                    Inferred{"JwtAndRole",
                             {{"VAULT_JWT_FILE", "/fake"}, {"VAULT_AUTH_ROLE", "app"}},
                             AuthMethod::kJwt},
                    Inferred{"UserAndPassword",
                             {{"VAULT_USERNAME", "fake"}, {"VAULT_PASSWORD", "fake"}},
                             AuthMethod::kUserpass},
                    Inferred{"UserAndPasswordFile",
                             {{"VAULT_USERNAME", "fake"}, {"VAULT_PASSWORD_FILE", "/fake"}},
                             AuthMethod::kUserpass},
                    Inferred{"Ldap",
                             {{"VAULT_AUTH_METHOD", "ldap"},
                              {"VAULT_USERNAME", "fake"},
                              {"VAULT_PASSWORD", "fake"}},
                             AuthMethod::kLdap},
                    Inferred{"Kubernetes",
                             {{"VAULT_AUTH_METHOD", "kubernetes"}, {"VAULT_AUTH_ROLE", "app"}},
                             AuthMethod::kKubernetes},
                    Inferred{"Certificate",
                             {{"VAULT_AUTH_METHOD", "cert"},
                              {"VAULT_CLIENT_CERT", "/fake.pem"},
                              {"VAULT_CLIENT_KEY", "/fake.key"}},
                             AuthMethod::kCert}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(LoginSettings, ReadTheServiceAccountsTokenFromItsUsualPlace) {
  const Given given = {{"VAULT_AUTH_METHOD", "kubernetes"}, {"VAULT_AUTH_ROLE", "app"}};
  EXPECT_EQ(AuthOf(given).jwt.file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_EQ(AuthOf(With(given, {{"VAULT_JWT_FILE", "/projected"}})).jwt.file, "/projected");
}

TEST(LoginSettings, TakeTheTokenThatTheCommandOfTheServerKeeps) {
  const test::TemporaryDirectory home;
  ExpectRefused({{"HOME", home.path()}}, "VAULT_TOKEN");
  const std::string file = home.Write(".vault-token", "fake-token\n");
  EXPECT_EQ(AuthOf({{"HOME", home.path()}}).token.file, file);
  EXPECT_EQ(AuthOf({{"HOME", home.path()}, {"BAO_TOKEN_PATH", "/own"}}).token.file, "/own");
  EXPECT_EQ(AuthOf({{"HOME", home.path()}, {"VAULT_TOKEN", "fake"}}).token.file, "");
  EXPECT_EQ(AuthOf({{"HOME", home.path()}, {"VAULT_ROLE_ID", "fake"}}).method,
            AuthMethod::kAppRole);
}

TEST(LoginSettings, KnowTheNameThatACredentialStandsUnder) {
  EXPECT_EQ(AuthOf({{"BAO_TOKEN", "fake"}}).token.setting, "BAO_TOKEN");
  EXPECT_EQ(AuthOf({{"BAO_ROLE_ID_FILE", "/f"}}).role_id.setting, "BAO_ROLE_ID_FILE");
  EXPECT_EQ(AuthOf({{"BAO_JWT_FILE", "/f"}}).jwt.setting, "BAO_JWT_FILE");
}

// Settings of two ways to log in.
struct Contradiction {
  const char* name;
  const char* other;
};

TEST(LoginSettings, OfTwoMethodsAreRefusedWithBothNamed) {
  for (const auto& [name, other] : {Contradiction{"VAULT_TOKEN", "VAULT_ROLE_ID"},
                                    Contradiction{"VAULT_TOKEN_FILE", "VAULT_ROLE_ID_FILE"},
                                    Contradiction{"VAULT_TOKEN", "VAULT_SECRET_ID"},
                                    Contradiction{"VAULT_TOKEN", "VAULT_USERNAME"},
                                    Contradiction{"VAULT_TOKEN", "VAULT_PASSWORD_FILE"},
                                    Contradiction{"VAULT_TOKEN", "VAULT_JWT_FILE"},
                                    Contradiction{"VAULT_ROLE_ID", "VAULT_USERNAME"},
                                    Contradiction{"VAULT_ROLE_ID", "VAULT_JWT_FILE"},
                                    Contradiction{"VAULT_USERNAME", "VAULT_JWT_FILE"}}) {
    for (const std::string& first : {std::string(name), TwinOf(name)}) {
      for (const std::string& second : {std::string(other), TwinOf(other)}) {
        const auto settings = Load({{first, "fake-1"}, {second, "fake-2"}});
        ASSERT_FALSE(settings) << first << ' ' << second;
        const std::string text = test::TextOf(settings.error());
        EXPECT_TRUE(Names(text, first)) << text;
        EXPECT_TRUE(Names(text, second)) << text;
        EXPECT_THAT(text, Not(HasSubstr("fake")));
      }
    }
  }
}

// A named method and a setting of another one.
TEST(LoginSettings, OfAnotherMethodThanTheNamedOneAreRefused) {
  const Given cert = {{"VAULT_CLIENT_CERT", "/fake.pem"}, {"VAULT_CLIENT_KEY", "/fake.key"}};
  struct {
    const char* method;
    Given beside;
    std::vector<const char*> wrong;
  } const cases[] = {
      {"token", {{"VAULT_TOKEN", "fake"}}, {"VAULT_ROLE_ID", "VAULT_USERNAME", "VAULT_AUTH_ROLE"}},
      {"approle",
       {{"VAULT_ROLE_ID", "fake"}},
       {"VAULT_TOKEN", "VAULT_AUTH_ROLE", "VAULT_JWT_FILE"}},
      {"kubernetes", {{"VAULT_AUTH_ROLE", "app"}}, {"VAULT_TOKEN_FILE", "VAULT_ROLE_ID"}},
      {"jwt", {{"VAULT_JWT_FILE", "/f"}}, {"VAULT_TOKEN", "VAULT_PASSWORD"}},
      {"userpass",
       {{"VAULT_USERNAME", "app"}, {"VAULT_PASSWORD", "fake"}},
       {"VAULT_TOKEN", "VAULT_SECRET_ID", "VAULT_AUTH_ROLE"}},
      {"ldap",
       {{"VAULT_USERNAME", "app"}, {"VAULT_PASSWORD", "fake"}},
       {"VAULT_TOKEN", "VAULT_SECRET_ID_FILE", "VAULT_JWT_FILE"}},
      {"cert", cert, {"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_JWT_FILE"}}};
  for (const auto& [method, beside, wrong] : cases) {
    for (const char* const setting : wrong) {
      SCOPED_TRACE(std::string(method) + " with " + setting);
      ExpectRefusedUnderBothNames(
          With(beside, {{"VAULT_AUTH_METHOD", method}, {setting, "fake-value"}}), setting);
    }
  }
}

// VAULT_AUTH_METHOD would be hidden by it.
TEST(LoginSettings, NameTheMethodsSettingAsItIsSet) {
  const auto settings = Load({{"BAO_AUTH_METHOD", "jwt"}, {"VAULT_TOKEN", "fake"}});
  ASSERT_FALSE(settings);
  EXPECT_TRUE(Names(test::TextOf(settings.error()), "BAO_AUTH_METHOD"))
      << test::TextOf(settings.error());
}

TEST(LoginSettings, OfAWrappedSecretIdBelongToAppRole) {
  const Given wrapped = {{"VAULT_SECRET_ID_WRAPPING_PATH", "auth/approle/role/app/secret-id"}};
  ExpectRefusedUnderBothNames(With(wrapped, {{"VAULT_TOKEN", "fake-token"}}),
                              "VAULT_SECRET_ID_WRAPPING_PATH");
  ExpectRefused(With(wrapped, {{"VAULT_ROLE_ID", "fake-role"}}), "VAULT_SECRET_ID");
  EXPECT_EQ(AuthOf(With(wrapped, {{"VAULT_ROLE_ID", "fake"}, {"VAULT_SECRET_ID", "fake"}}))
                .secret_id_creation_path,
            "auth/approle/role/app/secret-id");
}

TEST(LoginSettings, AreRefusedWhereTextAndFileAreBothThere) {
  for (const char* const name :
       {"VAULT_TOKEN", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_PASSWORD"}) {
    Given beside;
    if (name == std::string("VAULT_SECRET_ID")) beside["VAULT_ROLE_ID"] = "fake-role";
    if (name == std::string("VAULT_PASSWORD")) beside["VAULT_USERNAME"] = "fake-user";
    const std::string file = std::string(name) + "_FILE";
    for (const std::string& text : {std::string(name), TwinOf(name)}) {
      for (const std::string& path : {file, TwinOf(file)}) {
        const auto settings = Load(With(beside, {{text, "fake-text"}, {path, "/fake-file"}}));
        ASSERT_FALSE(settings) << text << ' ' << path;
        EXPECT_EQ(settings.error().code(), ErrorCode::kConfiguration);
        EXPECT_TRUE(Names(settings.error().reason(), text)) << settings.error().reason();
        EXPECT_TRUE(Names(settings.error().reason(), path)) << settings.error().reason();
        EXPECT_THAT(test::TextOf(settings.error()), Not(HasSubstr("fake")));
      }
    }
  }
}

TEST(LoginSettings, NeedTheirOtherParts) {
  struct {
    Given given;
    const char* missing;
  } const cases[] = {
      {{}, "VAULT_TOKEN"},
      {{{"VAULT_SECRET_ID", "fake-id"}}, "VAULT_ROLE_ID"},
      {{{"VAULT_USERNAME", "fake-user"}}, "VAULT_PASSWORD"},
      {{{"VAULT_PASSWORD", "fake-password"}}, "VAULT_USERNAME"},
      {{{"VAULT_AUTH_METHOD", "token"}}, "VAULT_TOKEN"},
      {{{"VAULT_AUTH_METHOD", "approle"}}, "VAULT_ROLE_ID"},
      {{{"VAULT_AUTH_METHOD", "jwt"}}, "VAULT_JWT_FILE"},
      {{{"VAULT_AUTH_METHOD", "jwt"}, {"VAULT_AUTH_ROLE", "app"}}, "VAULT_JWT_FILE"},
      {{{"VAULT_AUTH_METHOD", "kubernetes"}}, "VAULT_AUTH_ROLE"},
      {{{"VAULT_AUTH_METHOD", "kubernetes"}, {"VAULT_JWT_FILE", "/fake"}}, "VAULT_AUTH_ROLE"},
      {{{"VAULT_AUTH_METHOD", "userpass"}, {"VAULT_USERNAME", "fake-user"}}, "VAULT_PASSWORD"},
      {{{"VAULT_AUTH_METHOD", "ldap"}, {"VAULT_PASSWORD", "fake-password"}}, "VAULT_USERNAME"}};
  for (const auto& [given, missing] : cases) {
    SCOPED_TRACE(missing);
    ExpectRefused(given, missing);
    // A cure must not name what does not exist.
    const auto settings = Load(given);
    if (settings) continue;
    for (const char* const no_setting :
         {"VAULT_JWT_FILE_FILE", "VAULT_USERNAME_FILE", "VAULT_AUTH_ROLE_FILE"}) {
      EXPECT_THAT(settings.error().cure(), Not(HasSubstr(no_setting)));
    }
  }
}

TEST(LoginSettings, DoNotGuessWhatARoleIsFor) {
  ExpectRefusedUnderBothNames({{"VAULT_AUTH_ROLE", "fake-role"}}, "VAULT_AUTH_ROLE");
}

TEST(LoginSettings, RefuseAMethodThatIsNotKnown) {
  for (const char* const method : {"fake", "AppRole", "oidc", "AWS", "token ", "fake\n"}) {
    ExpectRefusedUnderBothNames({{"VAULT_AUTH_METHOD", method}}, "VAULT_AUTH_METHOD");
  }
}

TEST(LoginSettings, RefusePathsThatLeadElsewhere) {
  for (const char* const mount : {"..", "fake/../token", "./fake", "fake//b", "/", "auth/", "//"}) {
    SCOPED_TRACE(mount);
    ExpectRefusedUnderBothNames({{"VAULT_TOKEN", "fake"}, {"VAULT_AUTH_MOUNT", mount}},
                                "VAULT_AUTH_MOUNT");
  }
  for (const char* const user : {"..", "fake/..", "fake//b", "./fake", "/fake"}) {
    SCOPED_TRACE(user);
    ExpectRefusedUnderBothNames({{"VAULT_USERNAME", user}, {"VAULT_PASSWORD", "fake-password"}},
                                "VAULT_USERNAME");
  }
}

TEST(Credential, IsReadWithoutWhatEditorsAdd) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.Write("credential", " fake-token \r\n");
  EXPECT_EQ(AuthOf({{"VAULT_TOKEN_FILE", file}}).token.ReadToken()->Reveal(), "fake-token");
  const Given user = {{"VAULT_USERNAME", "fake"}};
  const auto password = [&](const Given& given) {
    return std::string(AuthOf(With(user, given)).password.ReadPassword()->Reveal());
  };
  EXPECT_EQ(password({{"VAULT_PASSWORD_FILE", file}}), " fake-token ");
  EXPECT_EQ(password({{"VAULT_PASSWORD", "fake \xc3\xa9\n"}}), "fake \xc3\xa9\n");
}

TEST(Credential, IsReadAgainEachTime) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.Write("token", "fake-first");
  const AuthSettings auth = AuthOf({{"VAULT_TOKEN_FILE", file}});
  EXPECT_EQ(auth.token.ReadToken()->Reveal(), "fake-first");
  directory.Write("token", "fake-second");
  EXPECT_EQ(auth.token.ReadToken()->Reveal(), "fake-second");
}

TEST(Credential, SaysWhichSettingLedToNothing) {
  const test::TemporaryDirectory directory;
  for (const auto& [file, code] :
       {std::pair(directory.Write("empty", " \n"), ErrorCode::kConfiguration),
        std::pair(directory.Path("absent"), ErrorCode::kConfiguration),
        std::pair(directory.Write("binary", "fake\x01"), ErrorCode::kBadData),
        std::pair(directory.Write("long", std::string(70'000, 'f')), ErrorCode::kBadData)}) {
    const auto token = AuthOf({{"BAO_TOKEN_FILE", file}}).token.ReadToken();
    ASSERT_FALSE(token) << file;
    EXPECT_EQ(token.error().code(), code) << token.error().reason();
    EXPECT_TRUE(Names(token.error().reason(), "BAO_TOKEN_FILE")) << token.error().reason();
  }
}

}  // namespace
}  // namespace qarion::secrets::vault
