#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>

#include "core/system_clock.h"
#include "providers/vault/api.h"
#include "tests/fakes/fault_server.h"
#include "tests/support/given_settings.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::vault {
namespace {

using test::ExpectRefused;
using test::ExpectRefusedUnderBothNames;
using test::Given;
using test::kToken;
using test::Load;
using test::TwinOf;
using test::With;

constexpr char kFakeKey[] = "-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----\n";
constexpr char kFakeCertificate[] =
    "-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n";

net::TlsSettings TlsOf(const Given& given) {
  auto settings = Load(With(kToken, given));
  if (!settings) {
    ADD_FAILURE() << settings.error().reason();
    return {};
  }
  return std::move(settings->tls);
}

TEST(VaultTlsSettings, TrustTheSystemsAuthoritiesByDefault) {
  const net::TlsSettings tls = TlsOf({});
  EXPECT_EQ(tls.ca_file + tls.ca_text, "");
  EXPECT_EQ(tls.certificate_file + tls.certificate_text + tls.key_file, "");
  EXPECT_TRUE(tls.key_text.empty());
  EXPECT_EQ(tls.server_name, "");
}

TEST(VaultTlsSettings, NameTheServer) {
  EXPECT_EQ(TlsOf({{"VAULT_TLS_SERVER_NAME", "vault.example"}}).server_name, "vault.example");
  for (const char* const name : {"https://fake.example", "fake/name", "fake name", "user@fake"}) {
    ExpectRefusedUnderBothNames(With(kToken, {{"VAULT_TLS_SERVER_NAME", name}}),
                                "VAULT_TLS_SERVER_NAME");
  }
}

TEST(VaultTlsSettings, TakeACertificateWithItsKey) {
  const net::TlsSettings files =
      TlsOf({{"VAULT_CLIENT_CERT", "/etc/client.pem"}, {"BAO_CLIENT_KEY", "/etc/client.key"}});
  EXPECT_EQ(files.certificate_file, "/etc/client.pem");
  EXPECT_EQ(files.key_file, "/etc/client.key");

  const net::TlsSettings texts =
      TlsOf({{"BAO_CLIENT_CERT_BYTES", kFakeCertificate}, {"VAULT_CLIENT_KEY_BYTES", kFakeKey}});
  EXPECT_EQ(texts.certificate_text, kFakeCertificate);
  EXPECT_EQ(texts.key_text.Reveal(), kFakeKey);
}

TEST(VaultTlsSettings, PreferFilesToText) {
  const net::TlsSettings tls = TlsOf({{"VAULT_CLIENT_CERT", "/etc/client.pem"},
                                      {"VAULT_CLIENT_KEY", "/etc/client.key"},
                                      {"VAULT_CLIENT_CERT_BYTES", kFakeCertificate},
                                      {"VAULT_CLIENT_KEY_BYTES", kFakeKey}});
  EXPECT_EQ(tls.certificate_file, "/etc/client.pem");
  EXPECT_EQ(tls.key_file, "/etc/client.key");
  EXPECT_EQ(tls.certificate_text, "");
  EXPECT_TRUE(tls.key_text.empty());
}

// Half of a pair, and the value it has.
struct Half {
  const char* setting;
  const char* value;
};

void PrintTo(const Half& half, std::ostream* out) { *out << half.setting; }

class HalfOfAPair : public testing::TestWithParam<Half> {};

TEST_P(HalfOfAPair, IsRefusedByTheNameThatIsSet) {
  const auto& [setting, value] = GetParam();
  ExpectRefusedUnderBothNames(With(kToken, {{setting, value}}), setting);
}

TEST_P(HalfOfAPair, IsNotCompletedByTheOtherPair) {
  const auto& [setting, value] = GetParam();
  const bool is_text = std::string(setting).ends_with("_BYTES");
  const Given other =
      is_text ? Given{{"VAULT_CLIENT_CERT", "/etc/fake"}, {"VAULT_CLIENT_KEY", "/etc/f"}}
              : Given{{"VAULT_CLIENT_CERT_BYTES", kFakeCertificate},
                      {"VAULT_CLIENT_KEY_BYTES", kFakeKey}};
  ExpectRefusedUnderBothNames(With(With(kToken, other), {{setting, value}}), setting);
}

// BAO_X is set to nothing, and hides that VAULT_X is set.
TEST_P(HalfOfAPair, IsOneWhereItsOtherHalfIsHidden) {
  const auto& [setting, value] = GetParam();
  std::string other = setting;
  const bool is_key = other.find("KEY") != std::string::npos;
  other.replace(other.find(is_key ? "KEY" : "CERT"), is_key ? 3 : 4, is_key ? "CERT" : "KEY");
  ExpectRefused(With(kToken, {{setting, value}, {other, "fake-other"}, {TwinOf(other), ""}}),
                setting);
}

INSTANTIATE_TEST_SUITE_P(All, HalfOfAPair,
                         testing::Values(Half{"VAULT_CLIENT_CERT", "/etc/fake.pem"},
                                         Half{"VAULT_CLIENT_KEY", "/etc/fake.key"},
                                         Half{"VAULT_CLIENT_CERT_BYTES", kFakeCertificate},
                                         Half{"VAULT_CLIENT_KEY_BYTES", kFakeKey}),
                         [](const auto& tested) { return std::string(tested.param.setting); });

// What the server's certificate is checked against.
class Authorities : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"server", "other"}) {
      const std::string command =
          "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=fake "
          "-days 1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
          directory_.Path(name + ".key") + " -out " + directory_.Path(name + ".pem") +
          " 2>/dev/null";
      ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
    }
  }

  std::string File(const std::string& name) const { return directory_.Path(name + ".pem"); }
  std::string Text(const std::string& name) const {
    std::ifstream file(File(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Whether a server with the certificate `server` is trusted.
  bool Trust(const Given& given) {
    test::FaultServer server(
        {"--certificate", File("server"), "--key", directory_.Path("server.key"), "answer:200"});
    auto settings =
        Load(With(With(kToken, given), {{"VAULT_MAX_RETRIES", "0"},
                                        {"VAULT_ADDR", "https://127.0.0.1:" + server.port()}}));
    if (!settings) {
      ADD_FAILURE() << settings.error().reason();
      return false;
    }
    core::SystemClock clock;
    Api api(*settings, clock, nullptr);
    auto answer = api.Send({.path = "secret/data/qarion"},
                           {.deadline = clock.SteadyNow() + std::chrono::seconds(20)});
    if (!answer) {
      EXPECT_EQ(answer.error().code(), ErrorCode::kConfiguration);
    }
    return answer.has_value();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Authorities, AreThoseOfTheFileThenOfTheTextThenOfTheDirectory) {
  EXPECT_FALSE(Trust({}));
  EXPECT_TRUE(Trust({{"VAULT_CACERT", File("server")}}));
  EXPECT_TRUE(Trust({{"VAULT_CACERT_BYTES", Text("server")}}));

  EXPECT_TRUE(Trust({{"VAULT_CACERT", File("server")}, {"VAULT_CACERT_BYTES", Text("other")}}));
  EXPECT_FALSE(Trust({{"VAULT_CACERT", File("other")}, {"VAULT_CACERT_BYTES", Text("server")}}));

  const std::string command = "openssl rehash " + directory_.path();
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
  EXPECT_TRUE(Trust({{"VAULT_CAPATH", directory_.path()}}));
  EXPECT_FALSE(Trust({{"VAULT_CACERT_BYTES", Text("other")}, {"VAULT_CAPATH", directory_.path()}}));
  EXPECT_FALSE(Trust({{"VAULT_CACERT", File("other")}, {"VAULT_CAPATH", directory_.path()}}));
}

TEST_F(Authorities, AreOfTheNextSettingWhereTheFirstIsHidden) {
  EXPECT_TRUE(Trust({{"VAULT_CACERT", File("other")},
                     {"BAO_CACERT", ""},
                     {"VAULT_CACERT_BYTES", Text("server")}}));
}

}  // namespace
}  // namespace qarion::secrets::vault
