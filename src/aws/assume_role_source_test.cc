#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kBase[] =
    "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = fake-secret-of-base\n";

// What is expected was seen with botocore 1.44.5, unless a test says otherwise.
class AssumeRoleSourceTest : public RoleTestBase {
 protected:
  std::string Ask(const std::string& profile) {
    return Outcome(MakeAssumeRoleSource(Context(), profile));
  }

  // "ROLE signed by KEY", in the order in which they came.
  std::vector<std::string> Requests() {
    std::vector<std::string> requests;
    for (const StsCall& call : Calls()) {
      const std::string& arn = call.fields.at("RoleArn");
      requests.push_back(arn.substr(arn.rfind('/') + 1) + " signed by " +
                         (call.key_id.empty() ? "nobody" : call.key_id) +
                         (call.token.empty() ? "" : " with " + call.token));
    }
    return requests;
  }

  std::string InConfig(int line) const {
    return " in " + directory_.Path("config") + ":" + std::to_string(line);
  }
};

using testing::ElementsAre;

TEST_F(AssumeRoleSourceTest, AssumesARoleWithAllItsOptions) {
  Begin("[profile dev]\nrole_arn = " + Role("app") +
            "\nsource_profile = base\nexternal_id = ext/1+=,.@:\nrole_session_name = me@host\n"
            "duration_seconds = 1800\n",
        kBase);
  auto offer = MakeAssumeRoleSource(Context(), "dev")->Get(Soon());
  ASSERT_TRUE(offer) << offer.error().reason();
  ASSERT_TRUE(offer->credentials) << offer->why_not;
  EXPECT_EQ(offer->credentials->keys.access_key_id, "ASIAapp");
  EXPECT_EQ(offer->credentials->origin, "role " + Role("app") + " by profile dev");
  EXPECT_THAT(Requests(), ElementsAre("app signed by AKIABASE"));
  const auto fields = Calls()[0].fields;
  EXPECT_EQ(fields.at("ExternalId"), "ext/1+=,.@:");
  EXPECT_EQ(fields.at("RoleSessionName"), "me@host");
  EXPECT_EQ(fields.at("DurationSeconds"), "1800");
}

TEST_F(AssumeRoleSourceTest, NamesTheSessionByItselfAndKeepsTheName) {
  Begin(
      "[profile dev]\nrole_arn = " + Role("app") + "\nsource_profile = base\nrole_session_name =\n",
      kBase);
  const auto source = MakeAssumeRoleSource(Context(), "dev");
  EXPECT_EQ(Outcome(source), "ASIAapp");
  clock_.fake().Advance(std::chrono::hours(1));
  Answer("app", {Granted("AssumeRole", "app", "2026-01-01T03:00:00Z")});
  EXPECT_EQ(Outcome(source), "ASIAapp");
  for (const StsCall& call : Calls()) {
    EXPECT_EQ(call.fields.at("RoleSessionName"), "qarion-secrets-1767225600");
  }
  EXPECT_EQ(Calls().size(), 2u);
}

TEST_F(AssumeRoleSourceTest, DoesNotApplyWithoutARole) {
  Begin("[default]\nregion = eu-central-1\n[profile web]\nrole_arn = " + Role("app") +
        "\nweb_identity_token_file =\nsource_profile = web\n");
  EXPECT_EQ(Ask("default"), "not: profile default has no role_arn");
  EXPECT_EQ(Ask("none"), "not: there is no profile none");
  EXPECT_THAT(Ask("web"), StartsWith("not: profile web has web_identity_token_file"));
}

TEST_F(AssumeRoleSourceTest, FollowsAChainFromItsEnd) {
  Begin("[profile outer]\nrole_arn = " + Role("outer") +
            "\nsource_profile = inner\n[profile inner]\nrole_arn = " + Role("inner") +
            "\nsource_profile = base\n",
        kBase);
  EXPECT_EQ(Ask("outer"), "ASIAouter");
  EXPECT_THAT(Requests(), ElementsAre("inner signed by AKIABASE",
                                      "outer signed by ASIAinner with fake-token-of-inner"));
  EXPECT_THAT(Held(), testing::IsSupersetOf(
                          {"fake-secret-of-base", "fake-secret-of-inner", "fake-token-of-inner"}));
}

TEST_F(AssumeRoleSourceTest, StopsAChainAtStaticKeys) {
  Begin("[profile outer]\nrole_arn = " + Role("outer") +
            "\nsource_profile = inner\n[profile inner]\nrole_arn = " + Role("inner") +
            "\nsource_profile = base\naws_access_key_id = AKIAINNER\n"
            "aws_secret_access_key = fake-secret\n",
        kBase);
  EXPECT_EQ(Ask("outer"), "ASIAouter");
  EXPECT_THAT(Requests(), ElementsAre("outer signed by AKIAINNER"));
}

TEST_F(AssumeRoleSourceTest, LetsAProfileUseItsOwnKeys) {
  Begin("[profile own]\nrole_arn = " + Role("app") +
        "\nsource_profile = own\naws_access_key_id = AKIAOWN\n"
        "aws_secret_access_key = fake-secret\n");
  EXPECT_EQ(Ask("own"), "ASIAapp");
  EXPECT_THAT(Requests(), ElementsAre("app signed by AKIAOWN"));
}

TEST_F(AssumeRoleSourceTest, TakesASourceProfileWithAWebIdentity) {
  Begin("[profile outer]\nrole_arn = " + Role("outer") +
        "\nsource_profile = web\n[profile web]\nrole_arn = " + Role("web") +
        "\nweb_identity_token_file = " + directory_.Write("token", "fake-web-token\n") + "\n");
  EXPECT_EQ(Ask("outer"), "ASIAouter");
  EXPECT_THAT(Requests(), ElementsAre("web signed by nobody",
                                      "outer signed by ASIAweb with fake-token-of-web"));
}

TEST_F(AssumeRoleSourceTest, TakesNoVariableForASourceProfile) {
  Begin("[profile dev]\nrole_arn = " + Role("app") +
            "\nsource_profile = bare\n[profile bare]\nregion = eu-central-1\n",
        "",
        {{"AWS_WEB_IDENTITY_TOKEN_FILE", directory_.Write("token", "fake-web-token")},
         {"AWS_ROLE_ARN", Role("env")},
         {"AWS_ACCESS_KEY_ID", "AKIAENV"},
         {"AWS_SECRET_ACCESS_KEY", "fake-secret"}});
  EXPECT_THAT(Ask("dev"), AllOf(StartsWith("configuration: source_profile" + InConfig(3) +
                                           " leads to the profile bare, which has no credentials"),
                                HasSubstr("bare has no web_identity_token_file")));
  EXPECT_THAT(Requests(), ElementsAre());
}

TEST_F(AssumeRoleSourceTest, TakesCredentialsFromTheEnvironmentWhereItIsNamed) {
  Begin("[default]\nrole_arn = " + Role("app") + "\ncredential_source = Environment\n", "",
        {{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "fake-secret"}});
  EXPECT_EQ(Ask("default"), "ASIAapp");
  EXPECT_THAT(Requests(), ElementsAre("app signed by AKIAENV"));
}

TEST_F(AssumeRoleSourceTest, SaysWhyANamedSourceHasNone) {
  Begin("[default]\nrole_arn = " + Role("app") + "\ncredential_source = Environment\n");
  EXPECT_THAT(Ask("default"), StartsWith("configuration: credential_source" + InConfig(3) +
                                         " leads to Environment, which has no credentials ("));
}

// As botocore, which compares it letter by letter.
TEST_F(AssumeRoleSourceTest, RefusesAnUnknownNamedSource) {
  for (const char* name : {"environment", "Ec2", ""}) {
    Begin("[default]\nrole_arn = " + Role("app") + "\ncredential_source = " + name + "\n");
    EXPECT_THAT(Ask("default"),
                AllOf(StartsWith("configuration: credential_source" + InConfig(3)),
                      HasSubstr("Environment, Ec2InstanceMetadata or EcsContainer")));
  }
}

TEST_F(AssumeRoleSourceTest, RefusesBothSourcesAndNone) {
  Begin("[default]\nrole_arn = " + Role("app") +
        "\nsource_profile = default\ncredential_source = Environment\n[profile none]\nrole_arn = " +
        Role("app") + "\n");
  EXPECT_THAT(Ask("default"), StartsWith("configuration: source_profile" + InConfig(3) +
                                         " and credential_source" + InConfig(4) + " both say"));
  EXPECT_THAT(Ask("none"), AllOf(StartsWith("configuration: role_arn" + InConfig(6)),
                                 HasSubstr("add source_profile")));
}

TEST_F(AssumeRoleSourceTest, ListsTheProfilesWhereTheSourceIsMissing) {
  Begin("[default]\nrole_arn = " + Role("app") + "\nsource_profile = bsae\n", kBase);
  EXPECT_THAT(Ask("default"),
              AllOf(StartsWith("configuration: source_profile" + InConfig(3) + " names bsae"),
                    HasSubstr("name one of base, default")));
}

TEST_F(AssumeRoleSourceTest, ShowsACircle) {
  const auto profile = [](const std::string& name, const std::string& source) {
    return "[profile " + name + "]\nrole_arn = " + Role(name) + "\nsource_profile = " + source +
           "\n";
  };
  Begin(profile("a", "b") + profile("b", "c") + profile("c", "b") + profile("d", "a") +
        profile("own", "own"));
  EXPECT_THAT(Ask("a"), StartsWith("configuration: source_profile" + InConfig(9) +
                                   " closes a circle of profiles: a -> b -> c -> b\n"));
  EXPECT_THAT(Ask("own"), HasSubstr("closes a circle of profiles: own -> own\n"));
  EXPECT_THAT(Requests(), ElementsAre());
}

// botocore goes on until Python's stack ends.
TEST_F(AssumeRoleSourceTest, FollowsSixteenRolesAndNoMore) {
  std::string config;
  for (int number = 0; number < 17; ++number) {
    config += "[profile p" + std::to_string(number) +
              "]\nrole_arn = " + Role("r" + std::to_string(number)) +
              "\nsource_profile = " + (number == 16 ? "base" : "p" + std::to_string(number + 1)) +
              "\n";
  }
  Begin(config, kBase);
  EXPECT_EQ(Ask("p1"), "ASIAr1");
  EXPECT_EQ(Calls().size(), 16u);
  EXPECT_THAT(Ask("p0"), HasSubstr("a chain of more than 16 roles"));
}

// botocore asks for the code at the terminal.
TEST_F(AssumeRoleSourceTest, RefusesMfa) {
  Begin("[default]\nrole_arn = " + Role("app") +
            "\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n",
        kBase);
  EXPECT_THAT(Ask("default"), StartsWith("configuration: mfa_serial" + InConfig(4) +
                                         " asks for a code of an MFA device"));
  EXPECT_THAT(Requests(), ElementsAre());
}

// botocore leaves out a duration that is no number, and refuses what is below 900; STS what is
// above 43200.
TEST_F(AssumeRoleSourceTest, RefusesDurationsThatStsWouldNotTake) {
  for (const char* duration : {"1h", "", "899", "43201", "1800.5", "-1800", "99999999999"}) {
    Begin("[default]\nrole_arn = " + Role("app") +
              "\nsource_profile = base\nduration_seconds = " + duration + "\n",
          kBase);
    EXPECT_THAT(Ask("default"), StartsWith("configuration: duration_seconds" + InConfig(4)))
        << duration;
  }
  for (const char* duration : {"900", "43200"}) {
    Begin("[default]\nrole_arn = " + Role("app") +
              "\nsource_profile = base\nduration_seconds = " + duration + "\n",
          kBase);
    EXPECT_EQ(Ask("default"), "ASIAapp");
    EXPECT_EQ(Calls().back().fields.at("DurationSeconds"), duration);
  }
}

TEST_F(AssumeRoleSourceTest, RefusesAnEmptyRoleOrExternalId) {
  Begin("[default]\nrole_arn =\nsource_profile = base\n[profile b]\nrole_arn = " + Role("app") +
            "\nsource_profile = base\nexternal_id =\n",
        kBase);
  EXPECT_THAT(Ask("default"), StartsWith("configuration: role_arn" + InConfig(2)));
  EXPECT_THAT(Ask("b"), StartsWith("configuration: external_id" + InConfig(7)));
}

TEST_F(AssumeRoleSourceTest, KeepsTheSourcesCredentialsUntilTheyEnd) {
  Begin("[profile outer]\nrole_arn = " + Role("outer") +
            "\nsource_profile = inner\n[profile inner]\nrole_arn = " + Role("inner") +
            "\nsource_profile = base\n",
        kBase);
  Answer("inner", {Granted("AssumeRole", "inner", "2026-01-01T01:00:00Z"),
                   Granted("AssumeRole", "inner", "2026-01-01T02:00:00Z")});
  const auto source = MakeAssumeRoleSource(Context(), "outer");
  EXPECT_EQ(Outcome(source), "ASIAouter");
  EXPECT_EQ(Outcome(source), "ASIAouter");
  EXPECT_EQ(Calls().size(), 3u);  // inner, outer, outer
  clock_.fake().Advance(std::chrono::minutes(55));
  EXPECT_EQ(Outcome(source), "ASIAouter");
  EXPECT_THAT(
      Requests(),
      ElementsAre("inner signed by AKIABASE", "outer signed by ASIAinner with fake-token-of-inner",
                  "outer signed by ASIAinner with fake-token-of-inner", "inner signed by AKIABASE",
                  "outer signed by ASIAinner with fake-token-of-inner"));
}

TEST_F(AssumeRoleSourceTest, SaysOfARefusalWhichCredentialsAsked) {
  Begin("[profile outer]\nrole_arn = " + Role("outer") +
            "\nsource_profile = inner\n[profile inner]\nrole_arn = " + Role("inner") +
            "\nsource_profile = base\n",
        kBase);
  Answer("outer", {Refused(403, "AccessDenied")});
  EXPECT_THAT(Ask("outer"),
              AllOf(StartsWith("not_permitted: sts:AssumeRole of " + Role("outer")),
                    HasSubstr("role " + Role("inner") + " by profile inner (key ASIAinner)")));
}

}  // namespace
}  // namespace qarion::secrets::aws
