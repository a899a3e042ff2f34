#include "aws/sts.h"

#include "tests/support/role_test_base.h"

namespace qarion::secrets::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class StsTest : public RoleTestBase {
 protected:
  void SetUp() override { BeginClient(); }

  static Credentials KeyNamed(const std::string& id, const std::string& token = "") {
    return {.keys = {.access_key_id = id,
                     .secret_access_key = Secret::CopyOf("fake-secret"),
                     .session_token = Secret::CopyOf(token)},
            .origin = "the test"};
  }

  // Gives one key after another, the last for ever.
  CredentialCache Giving(std::vector<std::string> ids) {
    return CredentialCache(
        [ids = std::move(ids), next = std::size_t{0}](const net::Call&) mutable {
          return Result<Credentials>(KeyNamed(ids[std::min(next++, ids.size() - 1)], "fake-token"));
        },
        clock_, [](std::string_view) {});
  }

  std::string ErrorOfWebIdentity(const test::LocalAnswer& answer,
                                 const std::string& token = "fake-web-token") {
    Answer("app", {answer});
    auto result = WhileTimePasses([&] {
      return AssumeRoleWithWebIdentity(*services_,
                                       {.role_arn = Role("app"), .session_name = "session"},
                                       Secret::CopyOf(token), Soon());
    });
    return result ? "no error" : TextOf(result.error());
  }

  std::string ErrorOfAssumeRole(const test::LocalAnswer& answer) {
    Answer("app", {answer});
    CredentialCache source = Giving({"AKIATEST"});
    auto result = WhileTimePasses([&] {
      return AssumeRole(*services_, {.role_arn = Role("app"), .session_name = "session"}, source,
                        Soon());
    });
    return result ? "no error" : TextOf(result.error());
  }
};

// The fields are those that botocore 1.44.5 sends for the same profile (recorded; their order is
// that of its caller's arguments and means nothing).
TEST_F(StsTest, AssumesARoleAsBotocoreDoes) {
  CredentialCache source = Giving({"ASIATEST"});
  auto credentials = AssumeRole(*services_,
                                {.role_arn = Role("app"),
                                 .session_name = "me@host",
                                 .external_id = "ext/1+=,.@:",
                                 .duration_seconds = 1800},
                                source, Soon());
  ASSERT_TRUE(credentials) << credentials.error().reason();
  EXPECT_EQ(credentials->keys.access_key_id, "ASIAapp");
  EXPECT_EQ(credentials->keys.secret_access_key.Reveal(), "fake-secret-of-app");
  EXPECT_EQ(credentials->keys.session_token.Reveal(), "fake-token-of-app");
  EXPECT_EQ(credentials->expires_at, clock_.SystemNow() + std::chrono::hours(1));
  EXPECT_EQ(credentials->account_id, "123456789012");
  ASSERT_EQ(Calls().size(), 1u);
  const StsCall call = Calls()[0];
  EXPECT_THAT(call.fields, UnorderedElementsAre(
                               Pair("Action", "AssumeRole"), Pair("Version", "2011-06-15"),
                               Pair("RoleSessionName", "me@host"),
                               Pair("ExternalId", "ext/1+=,.@:"), Pair("DurationSeconds", "1800"),
                               Pair("RoleArn", "arn:aws:iam::123456789012:role/app")));
  EXPECT_EQ(call.content_type, "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(call.key_id, "ASIATEST");
  EXPECT_EQ(call.token, "fake-token");
  EXPECT_EQ(call.scope, "eu-central-1/sts");
}

TEST_F(StsTest, LeavesOutWhatIsNotConfigured) {
  CredentialCache source = Giving({"AKIATEST"});
  ASSERT_TRUE(
      AssumeRole(*services_, {.role_arn = Role("app"), .session_name = "s1"}, source, Soon()));
  EXPECT_THAT(Calls().at(0).fields,
              UnorderedElementsAre(Pair("Action", "AssumeRole"), Pair("Version", "2011-06-15"),
                                   Pair("RoleSessionName", "s1"), Pair("RoleArn", Role("app"))));
}

TEST_F(StsTest, SendsAWebIdentityTokenUnsigned) {
  auto credentials =
      AssumeRoleWithWebIdentity(*services_, {.role_arn = Role("app"), .session_name = "s1"},
                                Secret::CopyOf("fake.web+token/="), Soon());
  ASSERT_TRUE(credentials) << credentials.error().reason();
  EXPECT_EQ(credentials->keys.access_key_id, "ASIAapp");
  EXPECT_EQ(credentials->account_id, "123456789012");
  const StsCall call = Calls().at(0);
  EXPECT_THAT(call.fields,
              UnorderedElementsAre(Pair("Action", "AssumeRoleWithWebIdentity"),
                                   Pair("Version", "2011-06-15"), Pair("RoleSessionName", "s1"),
                                   Pair("RoleArn", Role("app")),
                                   Pair("WebIdentityToken", "fake.web+token/=")));
  EXPECT_EQ(call.key_id, "");
  EXPECT_EQ(call.token, "");
}

TEST_F(StsTest, TriesAgainWhereTheIdentityProviderIsOutOfReach) {
  Answer("app",
         {Refused(400, "IDPCommunicationError"), Granted("AssumeRoleWithWebIdentity", "app")});
  const auto credentials = WhileTimePasses([&] {
    return AssumeRoleWithWebIdentity(*services_, {.role_arn = Role("app"), .session_name = "s"},
                                     Secret::CopyOf("fake-web-token"), Soon());
  });
  EXPECT_TRUE(credentials);
  EXPECT_EQ(Calls().size(), 2u);
  EXPECT_THAT(ErrorOfWebIdentity(Refused(400, "IDPCommunicationError")),
              AllOf(HasSubstr("unavailable: "), HasSubstr("reach the token's identity provider")));
}

TEST_F(StsTest, AsksItsSourceOnceMoreWhereItsCredentialsHaveEnded) {
  Answer("app", {Refused(403, "ExpiredToken"), Granted("AssumeRole", "app")});
  CredentialCache source = Giving({"ASIAOLD", "ASIANEW"});
  const auto credentials =
      AssumeRole(*services_, {.role_arn = Role("app"), .session_name = "s"}, source, Soon());
  ASSERT_TRUE(credentials) << credentials.error().reason();
  ASSERT_EQ(Calls().size(), 2u);
  EXPECT_EQ(Calls()[0].key_id, "ASIAOLD");
  EXPECT_EQ(Calls()[1].key_id, "ASIANEW");
}

TEST_F(StsTest, DoesNotOfferTheSameRefusedKeyTwice) {
  EXPECT_THAT(ErrorOfAssumeRole(Refused(403, "InvalidClientTokenId")),
              HasSubstr("not_permitted: sts:AssumeRole of " + Role("app")));
  EXPECT_EQ(Calls().size(), 1u);
}

TEST_F(StsTest, SaysOfADeniedRoleWhoAskedAndWhereToAllowIt) {
  EXPECT_THAT(ErrorOfAssumeRole(Refused(403, "AccessDenied")),
              AllOf(HasSubstr("not_permitted: "), HasSubstr("AccessDenied: fake words of AWS"),
                    HasSubstr("allow whom the credentials from the test (key AKIATEST)"),
                    HasSubstr("trust policy")));
}

TEST_F(StsTest, SaysWhatRefusalsMean) {
  EXPECT_THAT(ErrorOfAssumeRole(Refused(403, "RegionDisabledException")),
              AllOf(HasSubstr("configuration: "), HasSubstr("activate STS in the region "
                                                            "eu-central-1")));
  EXPECT_THAT(ErrorOfAssumeRole(Refused(400, "ValidationError")),
              AllOf(HasSubstr("configuration: "), HasSubstr("duration_seconds")));
  EXPECT_THAT(ErrorOfAssumeRole(Refused(400, "Throttling")), HasSubstr("try_again: "));
  EXPECT_THAT(ErrorOfAssumeRole(Refused(503, "ServiceUnavailable")), HasSubstr("unavailable: "));
  EXPECT_THAT(ErrorOfWebIdentity(Refused(400, "InvalidIdentityToken")),
              AllOf(HasSubstr("not_permitted: "), HasSubstr("issuer")));
  EXPECT_THAT(ErrorOfWebIdentity(Refused(400, "ExpiredTokenException")),
              AllOf(HasSubstr("not_permitted: "), HasSubstr("write a new one")));
  EXPECT_THAT(ErrorOfWebIdentity(Refused(403, "IDPRejectedClaim")), HasSubstr("not_permitted: "));
  EXPECT_THAT(ErrorOfWebIdentity(Refused(403, "AccessDenied")),
              AllOf(HasSubstr("not_permitted: "), HasSubstr("subject and audience")));
}

TEST_F(StsTest, ShowsNoTokenThatAnAnswerQuotes) {
  EXPECT_THAT(ErrorOfWebIdentity(Refused(400, "InvalidIdentityToken", "bad: fake-web-token")),
              HasSubstr("bad: ***"));
  // Whole or in parts.
  EXPECT_THAT(ErrorOfWebIdentity(Refused(400, "InvalidIdentityToken", "bad: web-claims-of-it, sig"),
                                 "fake-head.web-claims-of-it.fake-signature"),
              HasSubstr("bad: ***, sig"));
  EXPECT_THAT(ErrorOfAssumeRole(Refused(400, "ValidationError", "bad: fake-secret fake-token")),
              HasSubstr("bad: *** ***"));
}

TEST_F(StsTest, RefusesAnswersThatLackAPart) {
  const std::string whole = Granted("AssumeRole", "app").body;
  for (const char* name : {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}) {
    const std::string tag = std::string("<") + name + ">";
    std::string without = whole;
    without.replace(without.find(tag), tag.size(), tag + "<x/><!--");
    without.replace(without.find(std::string("</") + name + ">"), 2, "--></");
    EXPECT_THAT(ErrorOfAssumeRole({200, without}),
                AllOf(HasSubstr("bad_data: "), HasSubstr("AWS_ENDPOINT_URL_STS")))
        << name;
  }
  for (const std::string& body :
       {Granted("AssumeRole", "app", "tomorrow").body, Granted("AssumeRole", "a p").body}) {
    EXPECT_THAT(ErrorOfAssumeRole({200, body}), HasSubstr("bad_data: ")) << body;
  }
  // Whatever stands before the service may answer in its place for a while.
  for (const std::string& body :
       {std::string("{}"), std::string(), std::string("<html>"), whole.substr(0, 400)}) {
    EXPECT_THAT(ErrorOfAssumeRole({200, body}),
                AllOf(HasSubstr("unavailable: "), HasSubstr("passes requests on")))
        << body;
  }
}

TEST_F(StsTest, GoesWithoutAnAccountWhereTheAnswerNamesNone) {
  std::string body = Granted("AssumeRole", "app").body;
  body.replace(body.find("arn:aws:sts"), 3, "urn");
  Answer("app", {{200, body}});
  CredentialCache source = Giving({"AKIATEST"});
  const auto credentials =
      AssumeRole(*services_, {.role_arn = Role("app"), .session_name = "s"}, source, Soon());
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->account_id, "");
}

TEST_F(StsTest, SaysWhoAsks) {
  Answer("",
         {{200, R"(<?xml version="1.0" encoding="UTF-8"?>)"
                R"(<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">)"
                R"(<GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/u&#10;</Arn>)"
                R"(<UserId>AIDAFAKE000000000001</UserId><Account>000000000000</Account>)"
                R"(</GetCallerIdentityResult></GetCallerIdentityResponse>)"}});
  CredentialCache source = Giving({"AKIATEST"});
  const auto identity = GetCallerIdentity(*services_, source, Soon());
  ASSERT_TRUE(identity) << identity.error().reason();
  EXPECT_EQ(identity->account, "000000000000");
  EXPECT_EQ(identity->arn, "arn:aws:iam::000000000000:user/u");
  EXPECT_EQ(identity->user_id, "AIDAFAKE000000000001");
  EXPECT_THAT(Calls().at(0).fields, UnorderedElementsAre(Pair("Action", "GetCallerIdentity"),
                                                         Pair("Version", "2011-06-15")));
  EXPECT_EQ(Calls()[0].key_id, "AKIATEST");

  Answer("", {{200, "<GetCallerIdentityResponse/>"}});
  const auto nobody = GetCallerIdentity(*services_, source, Soon());
  ASSERT_FALSE(nobody);
  EXPECT_THAT(TextOf(nobody.error()), HasSubstr("unavailable: sts:GetCallerIdentity"));

  Answer("", {Refused(403, "SignatureDoesNotMatch")});
  const auto refused = GetCallerIdentity(*services_, source, Soon());
  ASSERT_FALSE(refused);
  EXPECT_THAT(TextOf(refused.error()), HasSubstr("not_permitted: sts:GetCallerIdentity"));
}

TEST(CheckRoleArnTest, TakesArnsOfRolesInAllPartitions) {
  for (const char* arn :
       {"arn:aws:iam::123456789012:role/app", "arn:aws-cn:iam::123456789012:role/path/app",
        "arn:aws:iam::123456789:role/integration-test"}) {
    EXPECT_TRUE(CheckRoleArn({arn, "AWS_ROLE_ARN"})) << arn;
  }
  for (const std::string& arn :
       {std::string(), std::string("app"), std::string("arn:aws:iam::123456789012:user/u"),
        std::string("arn:aws:sts::123456789012:assumed-role/app/s"),
        std::string("arn:aws:iam::123456789012:role/a b"),
        "arn:aws:iam::123456789012:role/" + std::string(2048, 'a')}) {
    const auto checked = CheckRoleArn({arn, "AWS_ROLE_ARN"});
    ASSERT_FALSE(checked) << arn;
    EXPECT_EQ(checked.error().reason(), "AWS_ROLE_ARN is not the ARN of a role");
  }
}

TEST(MakeSessionNameTest, HasTheSecondsInIt) {
  EXPECT_EQ(MakeSessionName(core::FakeClock()), "qarion-secrets-1767225600");
}

}  // namespace
}  // namespace qarion::secrets::aws
