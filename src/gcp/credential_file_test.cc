#include "gcp/credential_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

namespace qarion::secrets::gcp {
namespace {

using testing::HasSubstr;
using testing::Not;

// Secrets of these tests begin with "fake-".
constexpr char kServiceAccount[] = R"({
  "type": "service_account", "project_id": "my-project", "private_key_id": "kid1",
  "private_key": "fake-key\n", "client_email": "sa@my-project.iam.gserviceaccount.com",
  "client_id": "1", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
  "token_uri": "https://oauth2.googleapis.com/token", "quota_project_id": "other"})";
constexpr char kUser[] = R"({
  "type": "authorized_user", "account": "", "client_id": "id.apps.googleusercontent.com",
  "client_secret": "fake-client-secret", "refresh_token": "fake-refresh",
  "quota_project_id": "billed", "universe_domain": "googleapis.com"})";

// With that credential_source, and more members.
std::string External(const std::string& source, const std::string& more = "") {
  return R"({"type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token", "credential_source": )" +
         source + more + "}";
}
std::string ExternalOfFile(const std::string& more) {
  return External(R"({"file": "/token"})", ", " + more);
}

std::string Impersonated(const std::string& source) {
  return R"({"type": "impersonated_service_account", "delegates": ["a@p.iam.gserviceaccount.com"],
    "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/)"
         R"(serviceAccounts/sa@p.iam.gserviceaccount.com:generateAccessToken",
    "quota_project_id": "billed", "source_credentials": )" +
         source + "}";
}

CredentialFile Parsed(const std::string& text) {
  auto file = ParseCredentialFile(text, "/x/key.json");
  EXPECT_TRUE(file) << file.error().reason();
  return file ? std::move(*file) : CredentialFile();
}

std::string Problem(const std::string& text) {
  const auto file = ParseCredentialFile(text, "/x/key.json");
  if (file) return "nothing is wrong";
  EXPECT_EQ(file.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(file.error().reason(), HasSubstr("/x/key.json"));
  EXPECT_THAT(file.error().reason(), Not(HasSubstr("fake-")));
  EXPECT_THAT(file.error().cure(), HasSubstr("gcloud"));
  return file.error().reason();
}

template <typename Kind>
Kind IdentityOf(const std::string& text) {
  CredentialFile file = Parsed(text);
  auto* const identity = std::get_if<Kind>(&file.identity);
  EXPECT_NE(identity, nullptr);
  return identity == nullptr ? Kind() : std::move(*identity);
}

TEST(CredentialFile, IsOfAServiceAccount) {
  const CredentialFile file = Parsed(kServiceAccount);
  EXPECT_EQ(file.project_id, "my-project");
  EXPECT_EQ(file.universe, "googleapis.com");
  EXPECT_EQ(file.quota_project, "");  // Google's libraries do not read it here
  const auto account = IdentityOf<ServiceAccount>(kServiceAccount);
  EXPECT_EQ(account.client_email, "sa@my-project.iam.gserviceaccount.com");
  EXPECT_EQ(account.private_key_id, "kid1");
  EXPECT_EQ(account.private_key.Reveal(), "fake-key\n");
  EXPECT_EQ(account.token_uri, "https://oauth2.googleapis.com/token");
}

TEST(CredentialFile, IsOfAUser) {
  EXPECT_EQ(Parsed(kUser).quota_project, "billed");
  const auto user = IdentityOf<AuthorizedUser>(kUser);
  EXPECT_EQ(user.client_id, "id.apps.googleusercontent.com");
  EXPECT_EQ(user.client_secret.Reveal(), "fake-client-secret");
  EXPECT_EQ(user.refresh_token.Reveal(), "fake-refresh");
}

TEST(CredentialFile, TakesATokenFromAFile) {
  const auto plain = IdentityOf<ExternalAccount>(External(R"({"file": "/token"})"));
  EXPECT_EQ(plain.token_url, "https://sts.googleapis.com/v1/token");
  EXPECT_EQ(plain.subject_token_type, "urn:ietf:params:oauth:token-type:jwt");
  EXPECT_EQ(std::get<FileSource>(plain.source).path, "/token");
  EXPECT_EQ(std::get<FileSource>(plain.source).field, "");
  EXPECT_EQ(plain.impersonated_email, "");
  const auto in_json = IdentityOf<ExternalAccount>(External(
      R"({"file": "/token", "format": {"type": "json", "subject_token_field_name": "t"}})"));
  EXPECT_EQ(std::get<FileSource>(in_json.source).field, "t");
}

TEST(CredentialFile, TakesATokenFromAUrl) {
  const auto account = IdentityOf<ExternalAccount>(
      External(R"({"url": "http://169.254.169.254/token", "headers": {"Metadata": "True"}})"));
  const auto& source = std::get<UrlSource>(account.source);
  EXPECT_EQ(source.url, "http://169.254.169.254/token");
  ASSERT_EQ(source.headers.size(), 1U);
  EXPECT_EQ(source.headers[0].first, "Metadata");
  EXPECT_EQ(source.headers[0].second.Reveal(), "True");
}

TEST(CredentialFile, TakesATokenFromAProgram) {
  const auto usual =
      IdentityOf<ExternalAccount>(External(R"({"executable": {"command": "/t a"}})"));
  EXPECT_EQ(std::get<ExecutableSource>(usual.source).timeout, std::chrono::seconds(30));
  const auto account = IdentityOf<ExternalAccount>(External(
      R"({"executable": {"command": "/t", "timeout_millis": 5000, "output_file": "/o"}})"));
  const auto& source = std::get<ExecutableSource>(account.source);
  EXPECT_EQ(source.command, "/t");
  EXPECT_EQ(source.timeout, std::chrono::seconds(5));
  EXPECT_EQ(source.output_file, "/o");
}

TEST(CredentialFile, TakesAWS) {
  const auto account = IdentityOf<ExternalAccount>(External(
      R"({"environment_id": "aws1", "region_url": "http://169.254.169.254/r",
          "url": "http://[fd00:ec2::254]/c", "imdsv2_session_token_url": "http://169.254.169.254/t",
          "regional_cred_verification_url":
            "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"})"));
  const auto& source = std::get<AwsSource>(account.source);
  EXPECT_EQ(source.region_url, "http://169.254.169.254/r");
  EXPECT_EQ(source.credentials_url, "http://[fd00:ec2::254]/c");
  EXPECT_EQ(source.session_token_url, "http://169.254.169.254/t");
  EXPECT_THAT(source.verification_url, HasSubstr("{region}"));
}

TEST(CredentialFile, MayActAsAServiceAccount) {
  const auto account = IdentityOf<ExternalAccount>(ExternalOfFile(
      R"("service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/)"
      R"(serviceAccounts/sa@p.iam.gserviceaccount.com:generateAccessToken",
         "service_account_impersonation": {"token_lifetime_seconds": 2800},
         "client_id": "c:id", "client_secret": "fake-s/ec")"));
  EXPECT_EQ(account.impersonated_email, "sa@p.iam.gserviceaccount.com");
  EXPECT_EQ(account.impersonated_lifetime, std::chrono::seconds(2800));
  EXPECT_EQ(account.client_id, "c:id");
  EXPECT_EQ(account.client_secret.Reveal(), "fake-s/ec");
}

TEST(CredentialFile, IsOfAUserOfAnotherProvider) {
  const auto user = IdentityOf<ExternalUser>(R"({"type": "external_account_authorized_user",
    "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
    "token_url": "https://sts.googleapis.com/v1/oauthtoken", "client_id": "id",
    "client_secret": "fake-client-secret", "refresh_token": "fake-refresh"})");
  EXPECT_EQ(user.token_url, "https://sts.googleapis.com/v1/oauthtoken");
  EXPECT_EQ(user.refresh_token.Reveal(), "fake-refresh");
}

TEST(CredentialFile, IsOfSomebodyWhoActsAsAServiceAccount) {
  EXPECT_EQ(Parsed(Impersonated(kUser)).quota_project, "billed");
  for (const std::string& source :
       {std::string(kUser), std::string(kServiceAccount), External(R"({"file": "/token"})")}) {
    const auto account = IdentityOf<ImpersonatedAccount>(Impersonated(source));
    EXPECT_EQ(account.email, "sa@p.iam.gserviceaccount.com");
    EXPECT_THAT(account.delegates, testing::ElementsAre("a@p.iam.gserviceaccount.com"));
    ASSERT_NE(account.source, nullptr);
  }
  const auto account = IdentityOf<ImpersonatedAccount>(Impersonated(kUser));
  EXPECT_EQ(std::get<AuthorizedUser>(account.source->identity).refresh_token.Reveal(),
            "fake-refresh");
}

TEST(CredentialFile, SaysWhatItIsNot) {
  EXPECT_THAT(Problem(""), HasSubstr("/x/key.json"));
  EXPECT_THAT(Problem("-----BEGIN PRIVATE KEY-----"), HasSubstr("/x/key.json"));
  EXPECT_THAT(Problem("[]"), HasSubstr("not an object"));
  EXPECT_THAT(Problem("{}"), HasSubstr("type is missing"));
  EXPECT_THAT(Problem(R"({"type": 1})"), HasSubstr("type is not text"));
  EXPECT_THAT(Problem(R"({"type": "gdch_service_account"})"),
              HasSubstr("type is gdch_service_account; known are service_account"));
  EXPECT_THAT(Problem(Impersonated(Impersonated(kUser))), HasSubstr("source_credentials.type is"));
}

// Google's libraries need the same.
TEST(CredentialFile, NamesTheMemberThatIsMissing) {
  const std::pair<std::string, std::vector<const char*>> files[] = {
      {kServiceAccount, {"client_email", "private_key", "token_uri"}},
      {kUser, {"client_id", "client_secret", "refresh_token"}},
      {External(R"({"file": "/token"})"),
       {"audience", "subject_token_type", "token_url", "credential_source"}},
      {Impersonated(kUser), {"service_account_impersonation_url", "source_credentials"}}};
  for (const auto& [file, members] : files) {
    for (const char* const member : members) {
      std::string without = file;
      without.replace(without.find("\"" + std::string(member) + "\""), 2, "\"_");
      EXPECT_THAT(Problem(without), HasSubstr(std::string(member) + " is missing")) << member;
    }
  }
  std::string without = Impersonated(kUser);
  without.replace(without.find("\"refresh_token\""), 2, "\"_");
  EXPECT_THAT(Problem(without), HasSubstr("source_credentials.refresh_token is missing"));
}

TEST(CredentialFile, RefusesWhatCannotBeMeant) {
  const std::pair<std::string, const char*> files[] = {
      {External(R"({"file": 1})"), "credential_source.file is not text"},
      {External(R"({"file": "/t", "url": "https://t"})"), "both say where"},
      {External(R"({"certificate": {}})"), "certificate is not supported"},
      {External("{}"), "credential_source.file is missing"},
      {External(R"({"file": "/t", "format": {"type": "xml"}})"), "format.type is neither"},
      {External(R"({"file": "/t", "format": {"type": "json"}})"), "subject_token_field_name"},
      {External(R"({"url": "https://t", "headers": {"A": "fake-\nb"}})"), "headers.A has"},
      {External(R"({"url": "https://t", "headers": {"A:": "b"}})"), "headers has a name"},
      {External(R"({"executable": {"command": "t", "timeout_millis": 4999}})"), "timeout_millis"},
      {External(R"({"executable": {"command": "t", "timeout_millis": "5000"}})"), "timeout_millis"},
      {External(R"({"environment_id": "aws2", "regional_cred_verification_url": "https://t"})"),
       "environment_id is not aws1"},
      {ExternalOfFile(R"("service_account_impersonation": {"token_lifetime_seconds": 599})"),
       "token_lifetime_seconds is not"},
      {ExternalOfFile(R"("service_account_impersonation_url": "https://x/serviceAccounts/a@b")"),
       "does not end in"},
      {ExternalOfFile(R"("workforce_pool_user_project": "p")"), "of a workforce pool"},
      {ExternalOfFile(R"("universe_domain": "a/b")"), "universe_domain is no domain"}};
  for (const auto& [file, problem] : files) EXPECT_THAT(Problem(file), HasSubstr(problem));
}

TEST(CredentialFile, HasDelegatesInAList) {
  const std::string list = R"(["a@p.iam.gserviceaccount.com"])";
  for (const std::string other : {R"("a@p.iam.gserviceaccount.com")", "5", "{}", "true"}) {
    std::string file = Impersonated(kUser);
    file.replace(file.find(list), list.size(), other);
    EXPECT_THAT(Problem(file), HasSubstr("delegates is not a list")) << other;
  }
}

TEST(CredentialFile, SendsSecretsOverHttpsAlone) {
  const auto with = [](const std::string& url) {
    std::string file = kServiceAccount;
    const std::string usual = "https://oauth2.googleapis.com/token";
    return file.replace(file.find(usual), usual.size(), url);
  };
  for (const char* const url : {"http://oauth2.googleapis.com/token", "http://10.0.0.1/token"}) {
    EXPECT_THAT(Problem(with(url)), HasSubstr("token_uri is not https"));
  }
  for (const char* const url :
       {"ftp://x", "oauth2.googleapis.com", "https://a:fake-b@x/", "https://"}) {
    EXPECT_THAT(Problem(with(url)), HasSubstr("token_uri is no http or https URL"));
  }
  EXPECT_EQ(Problem(with("http://127.0.0.1:8080/token")), "nothing is wrong");
  // There machines ask, and are sent nothing.
  EXPECT_THAT(Problem(with("http://169.254.169.254/token")), HasSubstr("token_uri is not https"));
}

std::vector<std::string> ForeignIn(const std::string& text) {
  std::vector<std::string> foreign;
  for (const auto& [member, host] : ForeignHostsIn(Parsed(text), kDefaultUniverse)) {
    foreign.push_back(member + " " + host);
  }
  return foreign;
}

TEST(CredentialFile, ShowsWhomItSendsCredentialsTo) {
  const std::string file = External(R"({"file": "/token"})");
  EXPECT_THAT(ForeignIn(file), testing::IsEmpty());
  EXPECT_THAT(ForeignIn(kServiceAccount), testing::IsEmpty());
  const auto with = [&](const std::string& url, const std::string& more = "") {
    std::string other = file;
    const std::string usual = "https://sts.googleapis.com/v1/token";
    other.replace(other.find(usual), usual.size(), url);
    return other.insert(other.find('{') + 1, more);
  };
  EXPECT_THAT(ForeignIn(with("https://10.0.0.1/token")),
              testing::ElementsAre("token_url 10.0.0.1"));
  EXPECT_THAT(ForeignIn(with("https://evil-googleapis.com/token")),
              testing::ElementsAre("token_url evil-googleapis.com"));
  // A file cannot declare a host to be Google's.
  EXPECT_THAT(ForeignIn(with("https://sts.evil.test/token", R"("universe_domain": "evil.test",)")),
              testing::ElementsAre("universe_domain evil.test", "token_url sts.evil.test"));
  std::string source = kServiceAccount;
  const std::string usual = "https://oauth2.googleapis.com/token";
  source.replace(source.find(usual), usual.size(), "https://evil.test/token");
  EXPECT_THAT(ForeignIn(Impersonated(source)),
              testing::ElementsAre("source_credentials.token_uri evil.test"));
}

}  // namespace
}  // namespace qarion::secrets::gcp
