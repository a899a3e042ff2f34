// Requests as Vault's documentation of the method `gcp` has them; signatures are verified by
// OpenSSL.
#include "providers/vault/gcp_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/json_document.h"
#include "core/json_writer.h"
#include "crypto/base64.h"
#include "tests/fakes/local_server.h"
#include "tests/support/given_settings.h"
#include "tests/support/parsed_json.h"
#include "tests/support/session_test_base.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::ParsedJson;
using testing::HasSubstr;
using testing::Not;

constexpr char kEmail[] = "app@fake-project.iam.gserviceaccount.com";

class RsaKey {
 public:
  RsaKey() : key_(EVP_RSA_gen(2048), EVP_PKEY_free) {}

  std::string Pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(out.get(), &text));
    return {text, size};
  }

  // Whether the token is signed with it, by RS256.
  bool Signed(std::string_view token) const {
    const std::size_t dot = token.rfind('.');
    const auto signature = crypto::DecodeBase64Url(token.substr(dot + 1));
    if (!signature) return false;
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature->Reveal()), signature->size(),
                            bytes(token), dot) == 1;
  }

 private:
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

// It takes a while to make one.
const RsaKey& Key() {
  static const RsaKey key;
  return key;
}

core::JsonDocument Part(std::string_view token, int index) {
  for (; index > 0; --index) token.remove_prefix(token.find('.') + 1);
  const auto bytes = crypto::DecodeBase64Url(token.substr(0, token.find('.')));
  return ParsedJson(bytes ? bytes->Reveal() : "\"not base64\"");
}

std::string AccountFile(const std::string& email = kEmail, const std::string& key_id = "fake-id") {
  core::JsonWriter json;
  json.BeginObject().Key("type").Text("service_account").Key("client_email").Text(email);
  json.Key("private_key_id").Text(key_id).Key("private_key").Text(Key().Pem());
  json.Key("token_uri").Text("https://oauth2.googleapis.com/token").EndObject();
  return std::string(std::move(json).Take().Reveal());
}

constexpr char kUserFile[] =
    R"({"type":"authorized_user","client_id":"c","client_secret":"fake-s","refresh_token":"fake-r"})";
constexpr char kActingFile[] =
    R"({"type":"impersonated_service_account","source_credentials":)"
    R"({"type":"authorized_user","client_id":"c","client_secret":"fake-s","refresh_token":"fake-r"},)"
    R"("service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/)"
    R"(serviceAccounts/acted@p.iam.gserviceaccount.com:generateAccessToken"})";

// A home of its own, with one file of credentials or none.
class Home {
 public:
  test::Given Settings(const std::string& file, const test::Given& more = {}) const {
    test::Given given = {{"VAULT_AUTH_METHOD", "gcp"},
                         {"VAULT_AUTH_ROLE", "app"},
                         {"VAULT_ADDR", "https://vault.test"},
                         {"HOME", directory_.path()}};
    if (!file.empty()) given["GOOGLE_APPLICATION_CREDENTIALS"] = Write(file);
    return test::With(std::move(given), more);
  }
  std::string Write(const std::string& file) const {
    return directory_.Write("credentials.json", file);
  }

 private:
  const test::TemporaryDirectory directory_;
};

class GcpLoginSettings : public testing::Test {
 protected:
  void ExpectType(GcpLoginType type, const test::Given& given) {
    const auto settings = test::Load(given);
    ASSERT_TRUE(settings) << settings.error().reason();
    EXPECT_EQ(settings->auth.method, AuthMethod::kGcp);
    EXPECT_EQ(settings->auth.mount, "gcp");
    EXPECT_EQ(settings->auth.gcp_type, type);
  }

  const Home home_;
};

TEST_F(GcpLoginSettings, SayWhoIsShownToTheServer) {
  const test::Given account = {{"VAULT_GCP_SERVICE_ACCOUNT", kEmail}};
  ExpectType(GcpLoginType::kIam, home_.Settings(AccountFile()));
  ExpectType(GcpLoginType::kIam, home_.Settings(kActingFile));
  ExpectType(GcpLoginType::kIam, home_.Settings(kUserFile, account));
  ExpectType(GcpLoginType::kGce, home_.Settings(kUserFile));
  ExpectType(GcpLoginType::kGce, home_.Settings(""));
  ExpectType(GcpLoginType::kGce, home_.Settings("", account));
}

TEST_F(GcpLoginSettings, CanSayTheTypeThemselves) {
  ExpectType(GcpLoginType::kGce, home_.Settings(AccountFile(), {{"VAULT_GCP_LOGIN_TYPE", "gce"}}));
  ExpectType(GcpLoginType::kIam, home_.Settings("", {{"VAULT_GCP_LOGIN_TYPE", "iam"}}));
  // Of a machine that is asked no file is of interest.
  ExpectType(GcpLoginType::kGce, home_.Settings("broken", {{"VAULT_GCP_LOGIN_TYPE", "gce"}}));
}

TEST_F(GcpLoginSettings, NameWhatIsWrong) {
  const auto refused = [&](const std::string& file, const test::Given& more,
                           const std::string& setting) {
    test::ExpectRefused(home_.Settings(file, more), setting);
  };
  refused(AccountFile(), {{"VAULT_AUTH_ROLE", ""}}, "VAULT_AUTH_ROLE");
  refused(AccountFile(), {{"VAULT_GCP_LOGIN_TYPE", "gke"}}, "VAULT_GCP_LOGIN_TYPE");
  refused("", {{"VAULT_GCP_SERVICE_ACCOUNT", "a@b/c"}}, "VAULT_GCP_SERVICE_ACCOUNT");
  refused("", {{"VAULT_GCP_SERVICE_ACCOUNT", "a b"}}, "VAULT_GCP_SERVICE_ACCOUNT");
  refused(kUserFile, {{"VAULT_GCP_LOGIN_TYPE", "iam"}}, "VAULT_GCP_SERVICE_ACCOUNT");
  refused("", {{"VAULT_ROLE_ID", "x"}}, "VAULT_ROLE_ID");
  refused("", {{"GCE_METADATA_TIMEOUT", "soon"}}, "GCE_METADATA_TIMEOUT");
  refused("", {{"VAULT_AUTH_METHOD", "aws"}, {"VAULT_GCP_LOGIN_TYPE", "iam"}, {"AWS_PROFILE", ""}},
          "VAULT_GCP_LOGIN_TYPE");
  refused("", {{"VAULT_AUTH_METHOD", ""}, {"VAULT_AUTH_ROLE", ""}, {"VAULT_GCP_LOGIN_TYPE", "iam"}},
          "VAULT_GCP_LOGIN_TYPE");
}

TEST_F(GcpLoginSettings, RefuseAFileThatCannotBeUsed) {
  const auto settings = test::Load(home_.Settings(R"({"type":"fake-type"})"));
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code(), ErrorCode::kBadData);
}

TEST_F(GcpLoginSettings, GiveTheirKeysToTheScrubber) {
  const auto settings = test::Load(home_.Settings(kUserFile));
  ASSERT_TRUE(settings) << settings.error().reason();
  std::vector<std::string> credentials;
  for (const Secret& credential : settings->Credentials()) {
    credentials.emplace_back(credential.Reveal());
  }
  EXPECT_THAT(credentials, testing::IsSupersetOf({"fake-s", "fake-r"}));
}

class GcpLoginSession : public test::SessionTestBase {
 protected:
  // What the last login sent.
  core::JsonDocument Login() const { return ParsedJson(Seen().back().body); }
  static std::string JwtIn(const core::JsonDocument& login) {
    return std::string(login["jwt"].Text().value_or(""));
  }

  const Home home_;
};

TEST_F(GcpLoginSession, SignsWhoItIsForTheRole) {
  Begin({{"login", {Grant("fake-1", 1200)}}}, 0, home_.Settings(AccountFile()));
  EXPECT_EQ(Token(), "fake-1");
  const auto login = Login();
  EXPECT_THAT(login.root().Names(), testing::UnorderedElementsAre("role", "jwt"));
  EXPECT_EQ(login["role"].Text(), "app");
  const std::string jwt = JwtIn(login);
  EXPECT_TRUE(Key().Signed(jwt));
  const auto header = Part(jwt, 0);
  EXPECT_EQ(header["alg"].Text(), "RS256");
  EXPECT_EQ(header["kid"].Text(), "fake-id");
  const auto claims = Part(jwt, 1);
  EXPECT_EQ(claims["sub"].Text(), kEmail);
  EXPECT_EQ(claims["aud"].Text(), "vault/app");
  const auto now =
      std::chrono::floor<std::chrono::seconds>(clock_.SystemNow()).time_since_epoch().count();
  EXPECT_NEAR(static_cast<double>(claims["iat"].Integer().value_or(0)), static_cast<double>(now),
              2);
  // Roles take no more than 15 minutes.
  EXPECT_GT(claims["exp"].Integer().value_or(0), now + 60);
  EXPECT_LT(claims["exp"].Integer().value_or(0), now + 600);
}

TEST_F(GcpLoginSession, NeedsTheIdOfTheKey) {
  Begin({{"login", {Grant("fake-1", 1200)}}}, 0, home_.Settings(AccountFile(kEmail, "")));
  auto token = session_->Token(Soon());
  ASSERT_FALSE(token);
  EXPECT_THAT(token.error().reason(), HasSubstr("private_key_id"));
  EXPECT_EQ(Count("login"), 0);
}

// A second look at the same credentials would be refused again, though its time is another.
TEST_F(GcpLoginSession, IsNotRepeatedAtOnceAfterARefusal) {
  Begin({{"login", {Refusal(400)}}}, 0, home_.Settings(AccountFile()));
  EXPECT_EQ(Token(), "not_permitted");
  Turn(std::chrono::seconds(2));
  EXPECT_EQ(Token(), "not_permitted");
  EXPECT_EQ(Count("login"), 1);
}

TEST_F(GcpLoginSession, ReadsItsKeyAnewAtEachLogin) {
  Begin({{"login", {Refusal(400), Grant("fake-1", 1200)}}}, 0,
        home_.Settings(AccountFile("old@fake-project.iam.gserviceaccount.com")));
  EXPECT_EQ(Token(), "not_permitted");
  home_.Write(AccountFile());
  Turn(std::chrono::hours(1));
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_EQ(Part(JwtIn(Login()), 1)["sub"].Text(), kEmail);
  EXPECT_THAT(Held(), testing::IsSupersetOf({Key().Pem(), JwtIn(Login()), std::string("fake-1")}));
}

class GcpMachineLogin : public GcpLoginSession {
 protected:
  test::Given Machine(const test::Given& more = {}) const {
    return home_.Settings("", test::With({{"GCE_METADATA_HOST", metadata_.Url().substr(7)}}, more));
  }

  std::vector<test::LocalRequest> Asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  mutable std::mutex mutex_;  // of what follows
  test::LocalAnswer answer_{
      200, "fake-header.fake-claims.fake-signature", {{"Metadata-Flavor", "Google"}}};
  std::vector<test::LocalRequest> asked_;
  test::LocalServer metadata_{[this](const test::LocalRequest& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request);
    return answer_;
  }};
};

// As google-auth 2.62.2 asks for it (google.auth.compute_engine.IDTokenCredentials).
TEST_F(GcpMachineLogin, ShowsWhatTheMetadataServerSays) {
  Begin({{"login", {Grant("fake-1", 1200)}}}, 0, Machine());
  EXPECT_EQ(Token(), "fake-1");
  const auto asked = Asked();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].method, "GET");
  EXPECT_EQ(asked[0].headers.at("metadata-flavor"), "Google");
  const std::string port = settings_->addresses.front().url.substr(sizeof "http://127.0.0.1:" - 1);
  EXPECT_EQ(asked[0].path,
            "/computeMetadata/v1/instance/service-accounts/default/identity?audience="
            "http%3A%2F%2F127.0.0.1%3A" +
                port + "%2Fvault%2Fapp&format=full");
  EXPECT_EQ(JwtIn(Login()), "fake-header.fake-claims.fake-signature");
  EXPECT_THAT(Held(),
              testing::UnorderedElementsAre("fake-header.fake-claims.fake-signature", "fake-1"));
}

TEST_F(GcpMachineLogin, CanBeOfOneOfItsAccounts) {
  Begin({{"login", {Grant("fake-1", 1200)}}}, 0, Machine({{"VAULT_GCP_SERVICE_ACCOUNT", kEmail}}));
  EXPECT_EQ(Token(), "fake-1");
  EXPECT_THAT(Asked().at(0).path,
              HasSubstr("/service-accounts/" + std::string(kEmail) + "/identity?"));
}

TEST_F(GcpMachineLogin, SendsNothingThatIsNoToken) {
  for (const std::string body : {"", "<html>\n no </html>"}) {
    answer_.body = body;
    Begin({{"login", {Grant("fake-1", 1200)}}}, 0, Machine());
    EXPECT_EQ(Token(), "bad_data") << body;
  }
  EXPECT_EQ(Count("login"), 0);
}

// The server may quote what it cannot read.
TEST_F(GcpMachineLogin, ShowsNothingThatAnAnswerQuotes) {
  Begin(
      {{"login",
        {test::LocalAnswer{
            400, R"({"errors":["unable to parse fake-header.fake-claims.fake-signature: no"]})"}}}},
      0, Machine());
  auto token = session_->Token(Soon());
  ASSERT_FALSE(token);
  EXPECT_THAT(test::TextOf(token.error()), HasSubstr("unable to parse ***: no"));
  EXPECT_THAT(test::TextOf(token.error()), Not(HasSubstr("fake-header")));
}

TEST_F(GcpMachineLogin, SaysWhyAFileIsOfNoUse) {
  answer_.status = 404;
  Begin({}, 0, home_.Settings(kUserFile, {{"GCE_METADATA_HOST", metadata_.Url().substr(7)}}));
  auto token = session_->Token(Soon());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(token.error().reason(), HasSubstr("no service account is in "));
  EXPECT_THAT(token.error().reason(), HasSubstr("answers 404"));
  EXPECT_THAT(token.error().cure(), HasSubstr("VAULT_GCP_SERVICE_ACCOUNT"));
}

}  // namespace
}  // namespace qarion::secrets::vault
