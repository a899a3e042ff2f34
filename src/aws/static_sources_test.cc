// What botocore's EnvProvider, SharedCredentialProvider, ConfigProvider, OriginalEC2Provider and
// BotoProvider (1.44.5) find, and errors where those fail otherwise.
#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::system_clock;
using testing::HasSubstr;
using testing::StartsWith;

class StaticSourcesTest : public RoleTestBase {
 protected:
  Credentials Found(const SourcePtr& source) {
    auto offer = source->Get(Soon());
    EXPECT_TRUE(offer) << offer.error().reason();
    if (!offer) return {};
    EXPECT_TRUE(offer->credentials) << offer->why_not;
    return offer->credentials ? std::move(*offer->credentials) : Credentials{};
  }

  std::string FromEnvironment(std::map<std::string, std::string> variables) {
    Begin("", "", std::move(variables));
    return Outcome(MakeEnvironmentSource(Context()));
  }
  std::string FromCredentialsFile(const std::string& credentials) {
    Begin("", credentials);
    return Outcome(MakeSharedCredentialsSource(Context(), "dev"));
  }
};

TEST_F(StaticSourcesTest, TakesKeysFromTheEnvironment) {
  Begin("", "",
        {{"AWS_ACCESS_KEY_ID", "AKIDFAKE"},
         {"AWS_SECRET_ACCESS_KEY", "fake-key"},
         {"AWS_SESSION_TOKEN", "fake-token"},
         {"AWS_ACCOUNT_ID", "123456789012"},
         {"AWS_CREDENTIAL_EXPIRATION", "2026-01-01T02:00:00+01:00"}});
  const Credentials found = Found(MakeEnvironmentSource(Context()));
  EXPECT_EQ(found.keys.access_key_id, "AKIDFAKE");
  EXPECT_EQ(found.keys.secret_access_key.Reveal(), "fake-key");
  EXPECT_EQ(found.keys.session_token.Reveal(), "fake-token");
  EXPECT_EQ(found.account_id, "123456789012");
  EXPECT_EQ(found.expires_at, system_clock::from_time_t(1767229200));
  EXPECT_EQ(found.origin, "environment");
}

TEST_F(StaticSourcesTest, PrefersTheOlderNameOfTheToken) {
  const std::map<std::string, std::string> keys = {{"AWS_ACCESS_KEY_ID", "AKIDFAKE"},
                                                   {"AWS_SECRET_ACCESS_KEY", "fake-key"},
                                                   {"AWS_SECURITY_TOKEN", "fake-older"},
                                                   {"AWS_SESSION_TOKEN", "fake-token"}};
  Begin("",
        "[dev]\naws_access_key_id=A\naws_secret_access_key=fake-key\n"
        "aws_session_token=fake-token\naws_security_token=fake-older\n",
        keys);
  EXPECT_EQ(Found(MakeEnvironmentSource(Context())).keys.session_token.Reveal(), "fake-older");
  EXPECT_EQ(Found(MakeSharedCredentialsSource(Context(), "dev")).keys.session_token.Reveal(),
            "fake-older");
}

TEST_F(StaticSourcesTest, DoesNotApplyWithoutAKeyId) {
  EXPECT_EQ(FromEnvironment({}), "not: AWS_ACCESS_KEY_ID is not set");
  EXPECT_EQ(FromEnvironment({{"AWS_ACCESS_KEY_ID", ""}}), "not: AWS_ACCESS_KEY_ID is not set");
  EXPECT_THAT(FromEnvironment({{"AWS_SECRET_ACCESS_KEY", "fake-key"}}),
              StartsWith("not: AWS_SECRET_ACCESS_KEY is set, but"));
  EXPECT_THAT(FromCredentialsFile("[default]\n"), StartsWith("not: there is no profile 'dev'"));
  EXPECT_THAT(FromCredentialsFile("[dev]\naws_secret_access_key=fake-key\n"),
              StartsWith("not: the profile 'dev' has no aws_access_key_id"));
}

TEST_F(StaticSourcesTest, NamesWhatIsMissingOrCannotBeSent) {
  EXPECT_THAT(FromEnvironment({{"AWS_ACCESS_KEY_ID", "A"}}),
              HasSubstr("AWS_SECRET_ACCESS_KEY is missing or empty"));
  EXPECT_THAT(FromEnvironment({{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "fake-k\n"}}),
              HasSubstr("AWS_SECRET_ACCESS_KEY has a character"));
  EXPECT_THAT(FromEnvironment({{"AWS_ACCESS_KEY_ID", "A"},
                               {"AWS_SECRET_ACCESS_KEY", "fake-key"},
                               {"AWS_CREDENTIAL_EXPIRATION", "soon"}}),
              HasSubstr("AWS_CREDENTIAL_EXPIRATION is not a time"));
  EXPECT_THAT(FromCredentialsFile("[dev]\n\naws_access_key_id=A\n"),
              HasSubstr("aws_secret_access_key, which belongs to aws_access_key_id in " +
                        directory_.Path("credentials") + ":3, is missing"));
  EXPECT_THAT(
      FromCredentialsFile("[dev]\naws_access_key_id=A\naws_secret_access_key=fake-key # mine\n"),
      HasSubstr("aws_secret_access_key in " + directory_.Path("credentials") +
                ":3 has a character"));
}

TEST_F(StaticSourcesTest, LooksIntoOneFileAtATime) {
  Begin("[profile dev]\naws_access_key_id=CONFIG\naws_secret_access_key=fake-key\n",
        "[dev]\naws_access_key_id=SHARED\naws_secret_access_key=fake-key\naws_account_id=12\n");
  const Credentials shared = Found(MakeSharedCredentialsSource(Context(), "dev"));
  EXPECT_EQ(shared.keys.access_key_id, "SHARED");
  EXPECT_EQ(shared.account_id, "12");
  EXPECT_EQ(Outcome(MakeConfigFileSource(Context(), "dev")), "CONFIG");
}

TEST_F(StaticSourcesTest, ReadsTheFilesAnewEachTime) {
  Begin("", "[dev]\naws_access_key_id=OLD\naws_secret_access_key=fake-key\n");
  const SourcePtr source = MakeSharedCredentialsSource(Context(), "dev");
  EXPECT_EQ(Outcome(source), "OLD");
  directory_.Write("credentials", "[dev]\naws_access_key_id=NEW\naws_secret_access_key=fake-key\n");
  EXPECT_EQ(Outcome(source), "NEW");
  directory_.Write("credentials", "[dev]\nfake-key\n");
  EXPECT_THAT(Outcome(source), StartsWith("bad_data: "));
}

TEST_F(StaticSourcesTest, ReadsTheFileOfTheEc2Tools) {
  Begin("");
  EXPECT_EQ(Outcome(MakeEc2FileSource(Context())), "not: AWS_CREDENTIAL_FILE is not set");
  const auto from = [&](const std::string& text) {
    Begin("", "", {{"AWS_CREDENTIAL_FILE", directory_.Write("ec2", text)}});
    return Outcome(MakeEc2FileSource(Context()));
  };
  EXPECT_EQ(from("junk\n AWSAccessKeyId = AKIDFAKE \r\nAWSSecretKey=fake-key==\n"), "AKIDFAKE");
  EXPECT_EQ(Found(MakeEc2FileSource(Context())).keys.secret_access_key.Reveal(), "fake-key==");
  EXPECT_THAT(from("x=y"), HasSubstr("has no AWSAccessKeyId"));
  EXPECT_THAT(from("AWSAccessKeyId=A"), HasSubstr("AWSSecretKey in"));
  Begin("", "", {{"AWS_CREDENTIAL_FILE", directory_.Path("none")}});
  EXPECT_THAT(Outcome(MakeEc2FileSource(Context())), HasSubstr("No such file"));
}

TEST_F(StaticSourcesTest, ReadsTheFilesOfBoto2) {
  const auto from = [&](const std::string& text) {
    Begin("", "", {{"BOTO_CONFIG", directory_.Write("boto", text)}});
    return Outcome(MakeBoto2FileSource(Context()));
  };
  const std::string keys = "aws_access_key_id=AKIDFAKE\naws_secret_access_key=fake-key\n";
  EXPECT_EQ(from("[Credentials]\n" + keys + "aws_session_token=fake-token\n"), "AKIDFAKE");
  EXPECT_TRUE(Found(MakeBoto2FileSource(Context())).keys.session_token.empty());
  EXPECT_THAT(from("[credentials]\n" + keys), StartsWith("not: BOTO_CONFIG names no file"));
  EXPECT_THAT(from("[Credentials]\naws_access_key_id=A\n"), HasSubstr("aws_secret_access_key"));
  directory_.Write(".boto", "[Credentials]\n" + keys);
  Begin("", "", {{"HOME", directory_.path()}});
  EXPECT_EQ(Outcome(MakeBoto2FileSource(Context())), "AKIDFAKE");
}

TEST_F(StaticSourcesTest, SaysWhatToUseInsteadOfALoginSession) {
  Begin("[profile dev]\nlogin_session = arn:aws:iam::1:user/me\n[profile other]\n");
  EXPECT_THAT(Outcome(MakeLoginSource(Context(), "dev")),
              HasSubstr("credential_process = aws configure export-credentials --profile dev"));
  EXPECT_EQ(Outcome(MakeLoginSource(Context(), "other")),
            "not: the profile 'other' has no login_session");
}

}  // namespace
}  // namespace qarion::secrets::aws
