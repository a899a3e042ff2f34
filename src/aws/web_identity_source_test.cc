#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What is expected was seen with botocore 1.44.5, unless a test says otherwise.
class WebIdentitySourceTest : public RoleTestBase {
 protected:
  std::string Ask(const std::string& profile = "default", bool reads_variables = true) {
    return Outcome(MakeWebIdentitySource(Context(), profile, reads_variables));
  }
  std::string Token(std::string_view text = "fake-web-token") const {
    return directory_.Write("token", text);
  }
};

TEST_F(WebIdentitySourceTest, AssumesTheRoleThatVariablesName) {
  Begin("", "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()},
         {"AWS_ROLE_ARN", Role("env")},
         {"AWS_ROLE_SESSION_NAME", "pod"}});
  auto offer = MakeWebIdentitySource(Context(), "default", true)->Get(Soon());
  ASSERT_TRUE(offer) << offer.error().reason();
  ASSERT_TRUE(offer->credentials) << offer->why_not;
  EXPECT_EQ(offer->credentials->keys.access_key_id, "ASIAenv");
  EXPECT_EQ(offer->credentials->origin,
            "role " + Role("env") + " by web identity, AWS_WEB_IDENTITY_TOKEN_FILE");
  const StsCall call = Calls().at(0);
  EXPECT_EQ(call.key_id, "");
  EXPECT_EQ(call.fields.at("WebIdentityToken"), "fake-web-token");
  EXPECT_EQ(call.fields.at("RoleSessionName"), "pod");
}

TEST_F(WebIdentitySourceTest, TakesEachValueFromTheVariableBeforeTheProfile) {
  Begin("[default]\nrole_arn = " + Role("profile") +
            "\nweb_identity_token_file = /nowhere\nrole_session_name = mine\n",
        "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()}});
  EXPECT_EQ(Ask(), "ASIAprofile");
  EXPECT_EQ(Calls().at(0).fields.at("RoleSessionName"), "mine");
}

TEST_F(WebIdentitySourceTest, NamesTheSessionByItself) {
  Begin("", "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()},
         {"AWS_ROLE_ARN", Role("env")},
         {"AWS_ROLE_SESSION_NAME", ""}});
  EXPECT_EQ(Ask(), "ASIAenv");
  EXPECT_EQ(Calls().at(0).fields.at("RoleSessionName"), "qarion-secrets-1767225600");
}

TEST_F(WebIdentitySourceTest, LetsAnEmptyVariableHideTheProfile) {
  const std::string config =
      "[default]\nrole_arn = " + Role("profile") + "\nweb_identity_token_file = " + Token() + "\n";
  Begin(config, "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", ""}});
  EXPECT_EQ(Ask(), "not: AWS_WEB_IDENTITY_TOKEN_FILE is empty");
  Begin(config, "", {{"AWS_ROLE_ARN", ""}});
  EXPECT_THAT(Ask(), AllOf(StartsWith("configuration: web_identity_token_file in "),
                           HasSubstr("AWS_ROLE_ARN is empty")));
}

TEST_F(WebIdentitySourceTest, DoesNotApplyWithoutATokenFile) {
  Begin("[default]\nrole_arn = " + Role("profile") + "\n", "", {{"AWS_ROLE_ARN", Role("env")}});
  EXPECT_EQ(Ask(),
            "not: AWS_WEB_IDENTITY_TOKEN_FILE is not set, and profile default has no "
            "web_identity_token_file");
  EXPECT_EQ(Ask("none", false), "not: profile none has no web_identity_token_file");
}

TEST_F(WebIdentitySourceTest, ReadsNoVariablesForASourceProfile) {
  Begin("[profile web]\nrole_arn = " + Role("profile") + "\nweb_identity_token_file = " + Token() +
            "\n",
        "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"},
         {"AWS_ROLE_ARN", Role("env")},
         {"AWS_ROLE_SESSION_NAME", "pod"}});
  EXPECT_EQ(Ask("web", false), "ASIAprofile");
  EXPECT_EQ(Calls().at(0).fields.at("RoleSessionName"), "qarion-secrets-1767225600");
}

TEST_F(WebIdentitySourceTest, RefusesATokenWithoutARole) {
  Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()}});
  EXPECT_THAT(Ask(), AllOf(StartsWith("configuration: AWS_WEB_IDENTITY_TOKEN_FILE is set"),
                           HasSubstr("set AWS_ROLE_ARN")));
  Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()}, {"AWS_ROLE_ARN", "app"}});
  EXPECT_THAT(Ask(), StartsWith("configuration: AWS_ROLE_ARN is not the ARN of a role"));
  EXPECT_TRUE(Calls().empty());
}

// botocore sends the newline.
TEST_F(WebIdentitySourceTest, DropsWhiteSpaceAtTheEndOfTheToken) {
  for (const char* text : {"fake-web-token\n", "fake-web-token\r\n", " fake-web-token \t\n\n"}) {
    Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token(text)}, {"AWS_ROLE_ARN", Role("env")}});
    EXPECT_EQ(Ask(), "ASIAenv");
    EXPECT_EQ(Calls().back().fields.at("WebIdentityToken"), "fake-web-token");
  }
}

TEST_F(WebIdentitySourceTest, ReadsTheFileAnewEachTime) {
  Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()}, {"AWS_ROLE_ARN", Role("env")}});
  const auto source = MakeWebIdentitySource(Context(), "default", true);
  EXPECT_EQ(Outcome(source), "ASIAenv");
  EXPECT_THAT(Held(), testing::ElementsAre("fake-web-token"));
  Token("fake-newer-token");
  EXPECT_EQ(Outcome(source), "ASIAenv");
  EXPECT_THAT(Held(), testing::ElementsAre("fake-newer-token"));
  EXPECT_EQ(Calls().at(1).fields.at("WebIdentityToken"), "fake-newer-token");
}

TEST_F(WebIdentitySourceTest, RefusesFilesThatHoldNoToken) {
  const std::string begin =
      "configuration: AWS_WEB_IDENTITY_TOKEN_FILE names " + directory_.Path("token") + ", which ";
  for (const std::string_view text :
       {std::string_view(), std::string_view("\n"), std::string_view("fake-web\nfake-token"),
        std::string_view("fake-web\r\nX: fake-token"), std::string_view("fake-web fake-token"),
        std::string_view("fake-web\0fake-token", 19), std::string_view("fake-web-\xc3\xa9"),
        std::string_view("\xff\xfe"
                         "f\0",
                         4)}) {
    Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token(text)}, {"AWS_ROLE_ARN", Role("env")}});
    EXPECT_THAT(Ask(), StartsWith(begin)) << text;
  }
  EXPECT_TRUE(Calls().empty());
}

TEST_F(WebIdentitySourceTest, NamesAFileThatCannotBeRead) {
  Begin("", "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", directory_.Path("absent")}, {"AWS_ROLE_ARN", Role("e")}});
  EXPECT_THAT(Ask(), AllOf(StartsWith("configuration: AWS_WEB_IDENTITY_TOKEN_FILE"),
                           HasSubstr(directory_.Path("absent"))));
  Begin("", "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token(std::string(65'537, 'x'))},
         {"AWS_ROLE_ARN", Role("e")}});
  EXPECT_THAT(Ask(), StartsWith("bad_data: "));
}

TEST_F(WebIdentitySourceTest, DoesNotShowATokenThatStandsInPlaceOfAPath) {
  Begin("", "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", "eyJhbGciOiJub25lIn0.eyJmYWtlIjoxfQ.fake-signature"},
         {"AWS_ROLE_ARN", Role("env")}});
  EXPECT_THAT(Ask(), AllOf(StartsWith("configuration: AWS_WEB_IDENTITY_TOKEN_FILE "),
                           Not(HasSubstr("eyJ"))));
}

TEST_F(WebIdentitySourceTest, SaysWhatARefusalMeans) {
  Begin("", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", Token()}, {"AWS_ROLE_ARN", Role("env")}});
  Answer("env", {Refused(400, "ExpiredTokenException", "Token expired: fake-web-token")});
  EXPECT_THAT(Ask(),
              AllOf(StartsWith("not_permitted: sts:AssumeRoleWithWebIdentity of " + Role("env")),
                    HasSubstr("***")));
}

}  // namespace
}  // namespace qarion::secrets::aws
