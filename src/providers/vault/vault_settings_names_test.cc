// What holds for every setting: its two names, and control characters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/given_settings.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::ExpectRefusedUnderBothNames;
using test::Given;
using test::Load;
using test::TwinOf;
using test::With;

// All that settings come to, but the names they stand under.
std::string Meaning(const Given& given) {
  const auto settings = Load(given);
  if (!settings) return "refused";
  std::ostringstream text;
  for (const Address& address : settings->addresses) {
    text << address.url << ' ' << address.unix_socket << '\n';
  }
  text << settings->name_space << '\n' << settings->path << '\n' << settings->version << '\n';
  const AuthSettings& auth = settings->auth;
  text << ToString(auth.method) << ' ' << auth.mount << ' ' << auth.role << ' ' << auth.username
       << ' ' << auth.secret_id_creation_path << '\n';
  for (const Credential* credential :
       {&auth.token, &auth.role_id, &auth.secret_id, &auth.jwt, &auth.password}) {
    text << credential->text.Reveal() << ' ' << credential->file << '\n';
  }
  const net::TlsSettings& tls = settings->tls;
  text << tls.ca_file << '\n' << tls.ca_text << '\n';
  text << tls.certificate_file << '\n' << tls.certificate_text << '\n';
  text << tls.key_file << '\n' << tls.key_text.Reveal() << '\n';
  text << tls.server_name << '\n'
       << tls.is_verified << '\n'
       << settings->proxy.url.Reveal() << '\n';
  for (const net::HttpHeader& header : settings->headers) {
    text << header.name << ' ' << header.value.Reveal() << '\n';
  }
  text << settings->timeout.count() << ' ' << settings->max_retries << '\n';
  if (settings->rate_limit) {
    text << settings->rate_limit->per_second << ' ' << settings->rate_limit->burst << '\n';
  }
  text << settings->looks_up_srv << settings->follows_redirects << settings->ignored.size();
  return text.str();
}

// A setting, two values that mean different things, and what must be set beside it.
struct Variable {
  const char* name;
  const char* value;
  const char* other;
  Given beside;
};

void PrintTo(const Variable& variable, std::ostream* out) { *out << variable.name; }

std::string NameOf(const testing::TestParamInfo<Variable>& tested) { return tested.param.name; }

// A directory with one authority that `mark` tells from others; lives as long as the program.
const std::string& DirectoryWith(const std::string& mark) {
  static std::map<std::string, test::TemporaryDirectory> directories;
  static std::map<std::string, std::string> paths;
  directories[mark].Write("authority.pem", "-----BEGIN CERTIFICATE-----\n" + mark);
  return paths[mark] = directories[mark].path();
}

std::vector<Variable> AllVariables() {
  const Given token = {{"VAULT_TOKEN", "fake-token"}};
  const Given role_id = {{"VAULT_ROLE_ID", "fake-role"}};
  const Given user = {{"VAULT_USERNAME", "fake-user"}};
  const auto method = [](const char* name) { return Given{{"VAULT_AUTH_METHOD", name}}; };
  return {
      {"VAULT_ADDR", "https://a.example", "https://b.example", token},
      {"VAULT_AGENT_ADDR", "https://a.example", "https://b.example", token},
      {"VAULT_NAMESPACE", "a", "b", token},
      {"VAULT_SECRET_PATH", "secret/data/a", "secret/data/b", token},
      {"VAULT_SECRET_VERSION", "1", "2", token},
      {"VAULT_CACERT", "/a.pem", "/b.pem", token},
      {"VAULT_CACERT_BYTES", "a", "b", token},
      {"VAULT_CAPATH", DirectoryWith("a").c_str(), DirectoryWith("b").c_str(), token},
      {"VAULT_TLS_SERVER_NAME", "a.example", "b.example", token},
      {"VAULT_SKIP_VERIFY", "true", "false", token},
      {"VAULT_CLIENT_CERT", "/a.pem", "/b.pem", With(token, {{"VAULT_CLIENT_KEY", "/c.key"}})},
      {"VAULT_CLIENT_KEY", "/a.key", "/b.key", With(token, {{"VAULT_CLIENT_CERT", "/c.pem"}})},
      {"VAULT_CLIENT_CERT_BYTES", "a", "b", With(token, {{"VAULT_CLIENT_KEY_BYTES", "c"}})},
      {"VAULT_CLIENT_KEY_BYTES", "a", "b", With(token, {{"VAULT_CLIENT_CERT_BYTES", "c"}})},
      {"VAULT_CLIENT_TIMEOUT", "10", "20s", token},
      {"VAULT_MAX_RETRIES", "0", "1", token},
      {"VAULT_RATE_LIMIT", "1", "2", token},
      {"VAULT_SRV_LOOKUP", "true", "false", token},
      {"VAULT_DISABLE_REDIRECTS", "true", "false", token},
      {"VAULT_PROXY_ADDR", "http://a.example", "http://b.example", token},
      {"VAULT_HTTP_PROXY", "http://a.example", "http://b.example", token},
      {"VAULT_HEADERS", R"({"a": "1"})", R"({"a": "2"})", token},
      {"VAULT_MFA", "a", "b", token},
      {"VAULT_TOKEN", "fake-a", "fake-b", {}},
      {"VAULT_TOKEN_FILE", "/a", "/b", {}},
      {"VAULT_TOKEN_PATH", "/a", "/b", {}},
      {"VAULT_AUTH_METHOD", "ldap", "userpass", With(user, {{"VAULT_PASSWORD", "fake"}})},
      {"VAULT_AUTH_MOUNT", "a", "b", role_id},
      {"VAULT_AUTH_ROLE", "a", "b", method("kubernetes")},
      {"VAULT_ROLE_ID", "fake-a", "fake-b", {}},
      {"VAULT_ROLE_ID_FILE", "/a", "/b", {}},
      {"VAULT_SECRET_ID", "fake-a", "fake-b", role_id},
      {"VAULT_SECRET_ID_FILE", "/a", "/b", role_id},
      {"VAULT_SECRET_ID_WRAPPING_PATH", "a", "b", With(role_id, {{"VAULT_SECRET_ID", "fake"}})},
      {"VAULT_JWT_FILE", "/a", "/b", {}},
      {"VAULT_USERNAME", "fake-a", "fake-b", {{"VAULT_PASSWORD", "fake"}}},
      {"VAULT_PASSWORD", "fake-a", "fake-b", user},
      {"VAULT_PASSWORD_FILE", "/a", "/b", user},
  };
}

class EverySetting : public testing::TestWithParam<Variable> {};

TEST_P(EverySetting, MeansTheSameUnderItsOtherName) {
  const auto& [name, value, other, beside] = GetParam();
  const std::string meaning = Meaning(With(beside, {{TwinOf(name), value}}));
  EXPECT_NE(meaning, "refused");
  EXPECT_EQ(meaning, Meaning(With(beside, {{name, value}})));
  EXPECT_NE(meaning, Meaning(With(beside, {{name, other}})));
}

TEST_P(EverySetting, IsTakenFromItsOtherNameFirst) {
  const auto& [name, value, other, beside] = GetParam();
  EXPECT_EQ(Meaning(With(beside, {{name, value}, {TwinOf(name), other}})),
            Meaning(With(beside, {{name, other}})));
  EXPECT_EQ(Meaning(With(beside, {{name, other}, {TwinOf(name), value}})),
            Meaning(With(beside, {{name, value}})));
}

TEST_P(EverySetting, IsHiddenByItsOtherNameEvenWhereThatIsEmpty) {
  const auto& [name, value, other, beside] = GetParam();
  EXPECT_EQ(Meaning(With(beside, {{name, value}, {TwinOf(name), ""}})), Meaning(beside));
  EXPECT_NE(Meaning(With(beside, {{name, value}})), Meaning(beside));
}

INSTANTIATE_TEST_SUITE_P(All, EverySetting, testing::ValuesIn(AllVariables()), NameOf);

// A setting and the two parts of a value that a control character stands between.
class TextSetting : public testing::TestWithParam<Variable> {};

TEST_P(TextSetting, IsRefusedWithAControlCharacterAndNotShown) {
  const auto& [name, before, after, beside] = GetParam();
  ASSERT_NE(Meaning(With(beside, {{name, std::string(before) + after}})), "refused");
  for (const char control : {'\n', '\r', '\t', '\x01', '\x1b', '\x7f'}) {
    const std::string value = std::string(before) + control + after;
    SCOPED_TRACE(static_cast<int>(control));
    ExpectRefusedUnderBothNames(With(beside, {{name, value}}), name);
  }
}

std::vector<Variable> TextVariables() {
  const Given token = {{"VAULT_TOKEN", "fake-token"}};
  const Given role_id = {{"VAULT_ROLE_ID", "fake-role"}};
  const Given user = {{"VAULT_USERNAME", "fake-user"}};
  return {
      {"VAULT_ADDR", "https://fake", "x.example", token},
      {"VAULT_AGENT_ADDR", "https://fake", "x.example", token},
      {"VAULT_NAMESPACE", "fake", "x", token},
      {"VAULT_SECRET_PATH", "secret/data/fake", "x", token},
      {"VAULT_CACERT", "/fake", "x", token},
      {"VAULT_CAPATH", DirectoryWith("a").c_str(), "/", token},
      {"VAULT_TLS_SERVER_NAME", "fake", "x.example", token},
      {"VAULT_CLIENT_CERT", "/fake", "x", With(token, {{"VAULT_CLIENT_KEY", "/c.key"}})},
      {"VAULT_CLIENT_KEY", "/fake", "x", With(token, {{"VAULT_CLIENT_CERT", "/c.pem"}})},
      {"VAULT_PROXY_ADDR", "http://fake", "x.example", token},
      {"VAULT_HTTP_PROXY", "http://fake", "x.example", token},
      {"VAULT_HEADERS", R"({"X-Gateway": "fake)", R"(x"})", token},
      {"VAULT_MFA", "fake", "x", token},
      {"VAULT_AUTH_MOUNT", "fake", "x", role_id},
      {"VAULT_AUTH_ROLE", "fake", "x", {{"VAULT_AUTH_METHOD", "kubernetes"}}},
      {"VAULT_USERNAME", "fake", "x", {{"VAULT_PASSWORD", "fake"}}},
      {"VAULT_SECRET_ID_WRAPPING_PATH", "fake", "x", With(role_id, {{"VAULT_SECRET_ID", "fake"}})},
      {"VAULT_TOKEN_FILE", "/fake", "x", {}},
      {"VAULT_TOKEN_PATH", "/fake", "x", {}},
      {"VAULT_ROLE_ID_FILE", "/fake", "x", {}},
      {"VAULT_SECRET_ID_FILE", "/fake", "x", role_id},
      {"VAULT_JWT_FILE", "/fake", "x", {}},
      {"VAULT_PASSWORD_FILE", "/fake", "x", user},
  };
}

INSTANTIATE_TEST_SUITE_P(All, TextSetting, testing::ValuesIn(TextVariables()), NameOf);

// A credential is looked at when it is read.
TEST(VaultCredential, IsRefusedWithAControlCharacterAndNotShown) {
  for (const char* const name : {"VAULT_TOKEN", "BAO_TOKEN"}) {
    for (const char* const value :
         {"fake\ntoken", "fake\x01token", "fake\x7ftoken", "fak\xc3\xa9"}) {
      const auto settings = Load({{name, value}});
      if (!settings) {
        EXPECT_EQ(test::TextOf(settings.error()).find("fak"), std::string::npos);
        continue;
      }
      const auto token = settings->auth.token.ReadToken();
      ASSERT_FALSE(token) << value;
      EXPECT_TRUE(test::Names(token.error().reason(), name)) << token.error().reason();
      EXPECT_EQ(test::TextOf(token.error()).find("fak"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace qarion::secrets::vault
