// Requests of the metadata are those of google-auth 2.62.2 (aws.py), signed requests those of
// cloud/gcp_golden.json, which it made.
#include "gcp/aws_subject_token.h"

#include <atomic>
#include <future>
#include <map>
#include <string>
#include <utility>

#include "core/json_document.h"
#include "gcp/subject_token.h"
#include "tests/fakes/scripted_server.h"
#include "tests/support/gcp_source_base.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::gcp {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kVerificationUrl[] =
    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
constexpr char kCredentialDocument[] =
    R"({"Code":"Success","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"fake-key","Token":"fake-session"})";

std::string Decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return decoded;
}

// What a token comes to whatever the order of its members: "method", "url" and headers by their
// names, which are told apart by a blank before them.
std::map<std::string, std::string> Members(std::string_view token) {
  std::map<std::string, std::string> members;
  auto json = core::JsonDocument::Parse(Decoded(token), "token");
  EXPECT_TRUE(json) << token;
  if (!json) return members;
  for (const std::string_view name : json->root().Names()) {
    members.emplace(name, (*json)[name].Text().value_or("list"));
  }
  for (const core::JsonValue& header : (*json)["headers"].Elements()) {
    EXPECT_EQ(header.Names().size(), 2U);
    members.emplace(" " + std::string(header["key"].Text().value_or("")),
                    header["value"].Text().value_or(""));
  }
  return members;
}

class AwsSubjectTokenTest : public test::GcpSourceBase {
 protected:
  AwsSubjectTokenTest() {
    account_.audience =
        "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/pool/providers/"
        "prov";
    source_.verification_url = kVerificationUrl;
  }

  void SetKeys(const std::string& id, const std::string& key, const std::string& token = "") {
    settings_.aws.access_key_id = id;
    settings_.aws.secret_access_key = Secret::CopyOf(key);
    settings_.aws.session_token = Secret::CopyOf(token);
  }
  // As `gcloud iam workload-identity-pools create-cred-config --aws --enable-imdsv2` writes them.
  void NameUrls(const std::string& base, bool has_session = true) {
    source_.region_url = base + "/latest/meta-data/placement/availability-zone";
    source_.credentials_url = base + "/latest/meta-data/iam/security-credentials";
    source_.session_token_url = has_session ? base + "/latest/api/token" : "";
  }
  std::string Get(std::chrono::milliseconds time = std::chrono::minutes(1)) {
    account_.source = source_;
    return Outcome(GetSubjectToken(account_, context_, Soon(time)));
  }
  // With an instance that gives its keys, but for what it answers for the n-th request.
  std::string OutcomeOf(std::size_t n, const test::LocalAnswer& answer) {
    std::vector<test::LocalAnswer> answers = {
        {200, "fake-imds"}, {200, "us-east-2b"}, {200, "my-role"}, {200, kCredentialDocument}};
    answers.resize(n + 1);
    answers[n] = answer;
    const test::ScriptedServer server(answers);
    NameUrls(server.Url());
    return Get();
  }

  AwsSource source_;
  ExternalAccount account_;
};

TEST_F(AwsSubjectTokenTest, IsARequestSignedAsGooglesLibraryDoes) {
  const auto path = test::FindVectors("cloud/gcp_golden.json");
  if (!path) GTEST_SKIP() << test::kNoVectors;
  auto golden = core::JsonDocument::Parse(test::ReadText(*path), "golden");
  ASSERT_TRUE(golden);
  clock_.Advance(seconds(*(*golden)["epoch"].Integer()) - clock_.SystemNow().time_since_epoch());
  settings_.aws.region = "us-east-2";
  // The published example key of AWS.
  SetKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "AQoDYXdzEJr//+tok==");
  EXPECT_EQ(Members(Get()), Members(*(*golden)["aws_subject_token"].Text()));
  settings_.aws.session_token = Secret();
  EXPECT_EQ(Members(Get()), Members(*(*golden)["aws_subject_token_no_session"].Text()));
  EXPECT_THAT(Clients(), IsEmpty());
}

TEST_F(AwsSubjectTokenTest, HasNoWhiteSpaceToBeEncoded) {
  settings_.aws.region = "us-east-2";
  SetKeys("AKIDEXAMPLE", "fake-key");
  const std::string token = Get();
  EXPECT_THAT(token, StartsWith("%7B%22headers%22%3A%5B%7B%22key%22%3A%22host%22%2C%22value%22"));
  EXPECT_THAT(token, Not(HasSubstr("%0A")));
}

TEST_F(AwsSubjectTokenTest, IsSignedWithTheKeysOfTheInstance) {
  const test::ScriptedServer server(
      {{200, "fake-imds"}, {200, "us-east-2b"}, {200, "my-role"}, {200, kCredentialDocument}});
  NameUrls(server.Url());
  const auto members = Members(Get());
  EXPECT_THAT(
      server.Lines(),
      ElementsAre("PUT /latest/api/token", "GET /latest/meta-data/placement/availability-zone",
                  "GET /latest/meta-data/iam/security-credentials",
                  "GET /latest/meta-data/iam/security-credentials/my-role"));
  const auto seen = server.seen();
  EXPECT_EQ(seen[0].headers.at("x-aws-ec2-metadata-token-ttl-seconds"), "300");
  for (const std::size_t n : {1U, 2U, 3U}) {
    EXPECT_EQ(seen[n].headers.at("x-aws-ec2-metadata-token"), "fake-imds");
  }
  EXPECT_THAT(Clients(), testing::Each("metadata"));
  EXPECT_THAT(Held(), testing::UnorderedElementsAre("fake-imds", "fake-key", "fake-session"));
  EXPECT_EQ(members.at(" host"), "sts.us-east-2.amazonaws.com");
  EXPECT_EQ(members.at(" x-amz-security-token"), "fake-session");
  EXPECT_THAT(members.at(" Authorization"),
              HasSubstr("Credential=ASIAEXAMPLE/20260101/us-east-2/sts/aws4_request"));
  EXPECT_EQ(members.at("url"),
            "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15");
}

TEST_F(AwsSubjectTokenTest, NeedsNoSessionWhereTheFileNamesNone) {
  const test::ScriptedServer server(
      {{200, "us-east-2b"}, {200, "my-role\n"}, {200, kCredentialDocument}});
  NameUrls(server.Url(), false);
  source_.credentials_url += "/";
  EXPECT_EQ(Members(Get()).at("method"), "POST");
  EXPECT_THAT(server.Lines(),
              ElementsAre("GET /latest/meta-data/placement/availability-zone",
                          "GET /latest/meta-data/iam/security-credentials/",
                          "GET /latest/meta-data/iam/security-credentials/my-role"));
  EXPECT_FALSE(server.seen()[0].headers.contains("x-aws-ec2-metadata-token"));
}

TEST_F(AwsSubjectTokenTest, AsksTheInstanceForWhatTheEnvironmentLacksAlone) {
  {
    const test::ScriptedServer server({{200, "fake-imds"}, {200, "eu-west-1a"}});
    NameUrls(server.Url());
    SetKeys("AKIDEXAMPLE", "fake-key");
    EXPECT_EQ(Members(Get()).at(" host"), "sts.eu-west-1.amazonaws.com");
    EXPECT_EQ(server.seen().size(), 2U);
  }
  const test::ScriptedServer server(
      {{200, "fake-imds"}, {200, "my-role"}, {200, kCredentialDocument}});
  NameUrls(server.Url());
  settings_.aws.region = "us-east-2";
  // A key id without its key is none.
  SetKeys("AKIDEXAMPLE", "");
  EXPECT_THAT(Members(Get()).at(" Authorization"), HasSubstr("Credential=ASIAEXAMPLE/"));
  EXPECT_EQ(server.seen().size(), 3U);
}

TEST_F(AwsSubjectTokenTest, NamesWhatIsNotSetAnywhere) {
  EXPECT_THAT(Get(), AllOf(StartsWith("configuration: credential_source.region_url is missing"),
                           HasSubstr("AWS_REGION")));
  settings_.aws.region = "us-east-2";
  EXPECT_THAT(Get(), AllOf(StartsWith("configuration: credential_source.url is missing"),
                           HasSubstr("AWS_ACCESS_KEY_ID")));
  SetKeys("", "fake-key");
  EXPECT_THAT(Get(), StartsWith("configuration: credential_source.url is missing"));
}

TEST_F(AwsSubjectTokenTest, RefusesAnEnvironmentThatCannotBeSent) {
  SetKeys("AKIDEXAMPLE", "fake-key");
  for (const char* const region :
       {"us_east", "us-east-2.evil", "US-EAST-2", "a/b", "fake-region?"}) {
    settings_.aws.region = region;
    EXPECT_THAT(Get(), StartsWith("configuration: AWS_REGION or AWS_DEFAULT_REGION is no region"));
  }
  settings_.aws.region = "us-east-2";
  SetKeys("AKID/fake-", "fake-key");
  EXPECT_THAT(Get(), StartsWith("configuration: AWS_ACCESS_KEY_ID "));
  SetKeys("AKIDEXAMPLE", "fake-key\n");
  EXPECT_THAT(Get(), StartsWith("configuration: AWS_SECRET_ACCESS_KEY "));
  SetKeys("AKIDEXAMPLE", "fake-key", "fake-\xff");
  EXPECT_THAT(Get(), StartsWith("configuration: AWS_SESSION_TOKEN "));
}

TEST_F(AwsSubjectTokenTest, IsForAServerByHttpsAlone) {
  settings_.aws.region = "us-east-2";
  SetKeys("AKIDEXAMPLE", "fake-key");
  for (const char* const url :
       {"http://sts.{region}.amazonaws.com?Action=GetCallerIdentity", "sts.amazonaws.com", ""}) {
    source_.verification_url = url;
    EXPECT_THAT(Get(),
                StartsWith("configuration: credential_source.regional_cred_verification_url"));
  }
  source_.verification_url = "https://sts.amazonaws.com/{region}/x/{region}";
  EXPECT_EQ(Members(Get()).at("url"), "https://sts.amazonaws.com/us-east-2/x/us-east-2");
}

TEST_F(AwsSubjectTokenTest, SaysWhatOfTheInstanceRefuses) {
  EXPECT_THAT(OutcomeOf(0, {403, ""}),
              StartsWith("configuration: credential_source.imdsv2_session_token_url: 127.0.0.1 "
                         "answers 403"));
  EXPECT_THAT(OutcomeOf(1, {404, ""}), StartsWith("configuration: credential_source.region_url: "));
  EXPECT_THAT(OutcomeOf(2, {404, ""}), StartsWith("configuration: credential_source.url: "));
  EXPECT_THAT(
      OutcomeOf(3, {401, "no fake-imds"}),
      AllOf(StartsWith("configuration: credential_source.url: "), HasSubstr("401: no ***")));
  EXPECT_THAT(OutcomeOf(2, {503, ""}), StartsWith("unavailable: credential_source.url: "));
}

TEST_F(AwsSubjectTokenTest, RefusesWhatNoInstanceAnswers) {
  EXPECT_THAT(OutcomeOf(0, {200, ""}),
              StartsWith("bad_data: credential_source.imdsv2_session_token_url "));
  EXPECT_THAT(OutcomeOf(0, {200, "fake-a\nb"}),
              StartsWith("bad_data: credential_source.imdsv2_session_token_url "));
  EXPECT_THAT(OutcomeOf(1, {200, "<html>"}), StartsWith("bad_data: credential_source.region_url "));
  EXPECT_THAT(OutcomeOf(2, {200, "fake-role/../x"}),
              StartsWith("bad_data: credential_source.url "));
  EXPECT_THAT(OutcomeOf(2, {200, ""}), StartsWith("bad_data: credential_source.url "));
  EXPECT_THAT(OutcomeOf(3, {200, "<fake-html>"}),
              StartsWith("bad_data: credential_source.url, role my-role, line 1"));
}

TEST_F(AwsSubjectTokenTest, WaitsForAnInstanceNoLongerThanForMetadata) {
  std::promise<void> end;
  std::atomic<int> asked = 0;
  const test::LocalServer server([&, ended = end.get_future().share()](const test::LocalRequest&) {
    if (++asked == 1) ended.wait();
    return test::LocalAnswer{404, ""};
  });
  NameUrls(server.Url());
  settings_.metadata.timeout = std::chrono::milliseconds(1);  // a second is the least
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Get(), HasSubstr("answers 404"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(1));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(10));
  EXPECT_EQ(asked, 2);
  end.set_value();
}

TEST(AwsKeysIn, AreThoseOfTheDocument) {
  const auto keys = AwsKeysIn(kCredentialDocument, "it");
  ASSERT_TRUE(keys) << keys.error().reason();
  EXPECT_EQ(keys->access_key_id, "ASIAEXAMPLE");
  EXPECT_EQ(keys->secret_access_key.Reveal(), "fake-key");
  EXPECT_EQ(keys->session_token.Reveal(), "fake-session");
  const auto lasting = AwsKeysIn(R"({"AccessKeyId":"AKID","SecretAccessKey":"fake-key"})", "it");
  ASSERT_TRUE(lasting);
  EXPECT_TRUE(lasting->session_token.empty());
}

TEST(AwsKeysIn, RefusesWhatAreNone) {
  for (const char* const text :
       {"{}", "[]", "7", R"({"AccessKeyId":"AKID"})", R"({"SecretAccessKey":"fake-key"})",
        R"({"AccessKeyId":"AKID","SecretAccessKey":7})",
        R"({"AccessKeyId":"fake-/","SecretAccessKey":"fake-key"})",
        R"({"AccessKeyId":"AKID","SecretAccessKey":"fake key"})",
        R"({"AccessKeyId":"AKID","SecretAccessKey":"fake-key","Token":"fake-\n"})", "fake-text"}) {
    const auto keys = AwsKeysIn(text, "it");
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code(), ErrorCode::kBadData);
    EXPECT_THAT(keys.error().reason(), AllOf(StartsWith("it"), Not(HasSubstr("fake"))));
  }
}

TEST(AwsKeysIn, SayWhyThereAreNone) {
  const auto keys = AwsKeysIn(
      R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume it, fake-key",
          "SecretAccessKey":"fake-key"})",
      "it");
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(keys.error().reason(), "it: AssumeRoleUnauthorizedAccess, EC2 cannot assume it, ***");
}

TEST(RegionOfZone, HasNotItsLetter) {
  EXPECT_EQ(RegionOfZone("us-east-2b"), "us-east-2");
  EXPECT_EQ(RegionOfZone("us-gov-west-1a"), "us-gov-west-1");
  EXPECT_EQ(RegionOfZone("us-east-2"), "us-east-2");
  for (const char* const zone :
       {"", "a", "us-east-2.x", "us east-2a", "us-east-2/a", "US-EAST-2A"}) {
    EXPECT_EQ(RegionOfZone(zone), "") << zone;
  }
}

}  // namespace
}  // namespace qarion::secrets::gcp
